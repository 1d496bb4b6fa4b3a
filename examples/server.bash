# To be sourced: a jobrunnerd for as long as a script runs. Needs bash and jobrunnerd on the PATH.

# start_server CONFIG: starts it on a unix socket in a directory of its own, in memory, waits until it serves,
# and sets JOBRUNNER_SERVER for the client. It has a session of its own: Ctrl-C reaches the script.
start_server() {
  server_directory=$(mktemp -d)
  trap stop_server EXIT
  mkfifo "$server_directory/stdout"
  setsid jobrunnerd --config="$1" --store=memory: --listen="unix:$server_directory/socket" \
    >"$server_directory/stdout" &
  server_pid=$!
  server_asked=
  local line
  read -r -t 30 line <"$server_directory/stdout"
  export JOBRUNNER_SERVER=${line#jobrunnerd: serving on }
}

# ask_server_to_stop: has it drain. Once only, since a second signal would end it at once.
ask_server_to_stop() {
  [ -n "$server_asked" ] || kill -TERM "$server_pid"
  server_asked=yes
}

# stop_server: has it drain, waits for its end, and returns its exit status. Once more does nothing.
stop_server() {
  [ -n "${server_pid:-}" ] || return 0
  ask_server_to_stop
  local status=0
  # A signal that the script traps ends `wait` early.
  while kill -0 "$server_pid" 2>/dev/null; do wait "$server_pid" && status=0 || status=$?; done
  server_pid=
  rm -rf "$server_directory"
  return "$status"
}
