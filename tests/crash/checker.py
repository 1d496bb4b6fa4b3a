"""Holds a history against what the service promises."""

import call_rules
import lease_rules
import log_rules
import start_rules


def check(seen):
    """Returns what is wrong, a line each; nothing when all is well."""
    return [fault for rules in (log_rules, call_rules, start_rules, lease_rules) for rule in rules.RULES
            for fault in rule(seen)]
