"""What the pages for people point to is there."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md",
         ROOT / "examples" / "workers" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.exists()]

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
FOLDERS = r"(?:server|client|proto|tests|examples|scripts|docs|bench|docker|cmake)"
# A path in backticks; not one that has a wildcard or a placeholder.
PATH = re.compile(rf"`({FOLDERS}/[\w./-]*)[^`]*`")


def without_code_blocks(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def without_code(text):
    return re.sub(r"`[^`]*`", "", without_code_blocks(text))


class Links(unittest.TestCase):
    def test_there_are_pages(self):
        self.assertGreater(len(PAGES), 3)

    def test_links_lead_to_files(self):
        for page in PAGES:
            for link in LINK.findall(without_code(page.read_text())):
                self.assertTrue((page.parent / link).exists(), f"{page}: {link}")

    def test_paths_that_are_named_are_there(self):
        for page in PAGES:
            for path in PATH.findall(without_code_blocks(page.read_text())):
                self.assertTrue((ROOT / path).exists(), f"{page}: {path}")


if __name__ == "__main__":
    unittest.main()
