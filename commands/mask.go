package commands

import (
	"strconv"
	"strings"

	"ampd/codec"
)

// ParseMask reads the event mask of Login (Events) and Events (EventMask) with all
// the oddities of strings_to_mask and ast_instring: a number is the mask itself, a
// word that means true or false is all or nothing, else it is a list of classes,
// case counts, unknown ones are nothing, and an entry that is not the last also
// stands for each class that begins with it ("c," is call, command, config ...).
// ok is false for a mask that Asterisk calls invalid.
func ParseMask(text string) (mask codec.Classes, ok bool) {
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return codec.All, true // beyond 64 bits atoi says -1 or the like: all
		}
		return codec.Classes(uint32(n)) & codec.All, int32(n) >= 0
	}
	switch { // "1" and "0" are numbers
	case codec.IsFalse(text):
		return 0, true
	case codec.IsTrue(text):
		return codec.All, true
	}
	entries := strings.Split(text, ",")
	for i, entry := range entries {
		last := i == len(entries)-1
		names := func(label string) bool {
			return label == entry || !last && strings.HasPrefix(label, entry)
		}
		if names("all") {
			mask = codec.All
		}
		for class := codec.Classes(1); class != 0; class <<= 1 {
			if class&codec.All != 0 && names(class.String()) {
				mask |= class
			}
		}
	}
	return mask, true
}
