package rights

import (
	"strconv"
	"strings"

	"ampd/codec"
)

// fileName judges the name of a file that is to be written.
func fileName(_ *Subject, _ *codec.Packet, name string) (rule string) {
	if !isFile(name) {
		return "file name"
	}
	return ""
}

// configName judges the name of a configuration file that is read: one below
// Asterisk's own folder.
func configName(_ *Subject, _ *codec.Packet, name string) (rule string) {
	if strings.Contains(name, "..") || strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "/etc/asterisk/") {
		return "file name"
	}
	return ""
}

// toOthers are the options of MixMonitor that are not for limited sessions: m() puts the
// recording into anybody's mailboxes, i() sets a variable of a channel that an agent may
// only talk to.
const toOthers = "mi"

// mixOptions judges the Options of MixMonitor. Asterisk joins File, Options and
// Command with commas and takes them apart again (manager_mixmonitor in
// apps/app_mixmonitor.c), so a comma in Options would begin the Command.
func mixOptions(s *Subject, p *codec.Packet, text string) (rule string) {
	options, ok := parseOptions(text)
	if !ok {
		return "options"
	}
	for _, o := range options {
		if s.bounds != nil && strings.IndexByte(toOthers, o.letter) >= 0 {
			return "options for others"
		}
		switch o.letter {
		case 'a', 'b', 'B', 'c', 'd', 'D', 'm', 'n', 'p', 'P', 's', 'S', 'v', 'V', 'W':
			if !isWord(o.arg) {
				return "options"
			}
		case 'r', 't':
			rule = fileName(s, p, o.arg)
		case 'i': // a variable that the recording's id is written to
			rule = s.variable(o.arg, writing)
		default:
			return "options"
		}
		if rule != "" {
			return rule
		}
	}
	return ""
}

// fileNamedAfterChannel judges the channel of a Monitor without a File: Asterisk
// takes its name with "-" for "/". A Uniqueid says nothing about the name.
func fileNamedAfterChannel(_ *Subject, p *codec.Packet, channel string) (rule string) {
	if hasValue(p, "File") || channel == "" || isFile(channel) && strings.Contains(channel, "/") {
		return ""
	}
	return "file name"
}

// fileNamedAfterConference judges the conference of a recording without a
// RecordFile.
func fileNamedAfterConference(_ *Subject, p *codec.Packet, conference string) (rule string) {
	if hasValue(p, "RecordFile") || isFile(conference) {
		return ""
	}
	return "file name"
}

// nothing refuses any value.
func nothing(_ *Subject, _ *codec.Packet, value string) (rule string) {
	if value != "" {
		return "shell command"
	}
	return ""
}

// plainWord judges what is a plain word by its nature.
func plainWord(_ *Subject, _ *codec.Packet, value string) (rule string) {
	if !isWord(value) {
		return "word"
	}
	return ""
}

// oneRegistration refuses all at once.
func oneRegistration(_ *Subject, _ *codec.Packet, registration string) (rule string) {
	if strings.Contains(registration, "*") {
		return "all registrations"
	}
	return ""
}

// maxDuration is the longest a digit may last, in milliseconds: Asterisk knows no
// bound, and until it is over nothing else runs on that connection.
const maxDuration = 10_000

// duration judges a number of milliseconds as sscanf's "%30u" in manager_play_dtmf
// reads it: blanks, a sign, digits; what follows is not looked at, and a negative
// number becomes a huge one. What is no number Asterisk refuses by itself.
func duration(_ *Subject, _ *codec.Packet, text string) (rule string) {
	for len(text) > 0 && text[0] <= ' ' {
		text = text[1:]
	}
	digits := strings.TrimLeft(text, "+-")
	end := 0
	for end < len(digits) && isDigit(digits[end]) {
		end++
	}
	if end == 0 || len(text)-len(digits) > 1 {
		return ""
	}
	n, err := strconv.Atoi(digits[:end])
	if err != nil || n > maxDuration || n > 0 && text[0] == '-' {
		return "duration"
	}
	return ""
}

// templatesOnly judges what picks categories of a configuration file by what stands
// in them: regular expressions of name and value (does_category_match in
// main/config.c), so that whoever may ask often enough reads what is masked. Only
// TEMPLATES asks for nothing of it.
func templatesOnly(_ *Subject, _ *codec.Packet, filter string) (rule string) {
	for part := range strings.SplitSeq(filter, ",") {
		switch toLower(strings.TrimSpace(part)) {
		case "", "templates=include", "templates=restrict":
		default:
			return "filter"
		}
	}
	return ""
}
