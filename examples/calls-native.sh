#!/bin/bash
# A client of ampd in AMI's own format. It needs bash and nothing else.
#
#   bash calls-native.sh HOST PORT TYPE NAME SECRET
#       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
#   bash calls-native.sh HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
#       prints the answer to a command
set -eu

# packet reads a packet into the array lines, and its headers into header by their names.
packet() {
	local line
	lines=() header=()
	while IFS= read -r line <&3; do
		case $line in
		$'\r') return ;;
		--END\ COMMAND--$'\r') ;;
		*': '*$'\r')
			lines+=("${line%$'\r'}")
			line=${line%$'\r'}
			header[${line%%: *}]=${line#*: }
			;;
		*) lines+=("Output: $line") ;; # of the text that Command answers: ends with LF alone
		esac
	done
	exit 1 # ampd has closed the connection
}

# ask sends an action and prints its answer with print: one packet, or those of a list.
ask() {
	printf '%s\r\n' "Action: $1" 'ActionID: 1' "${@:2}" '' >&3
	while packet; do
		[ "${header[ActionID]-}" = 1 ] || continue # an event
		$print
		case ${header[EventList]-} in
		start) ;;
		Complete | Cancelled) return ;;
		*) [ "${header[Event]-}" ] || return 0 ;;
		esac
	done
}

message() { echo "${header[Message]}"; }
all() { printf '%s\n' "${lines[@]}" ''; }

declare -A header
exec 3<>"/dev/tcp/$1/$2"
read -r _ <&3 # Asterisk Call Manager/...
print=message ask Login "Username: $4" "Secret: $5" "Type: $3" 'Format: Asterisk'
[ "${header[Response]}" = Success ]
if [ $# -gt 5 ]; then
	pairs=("${@:7}")
	print=all ask "$6" "${pairs[@]/=/: }"
	exit
fi
while packet; do
	case ${header[Event]-} in Newchannel | Hangup) echo "${header[Event]} ${header[Channel]}" ;; esac
	[ "${header[Event]-}" != Hangup ] || exit 0
done
