package profiles

import (
	"fmt"
	"slices"
	"strings"

	"ampd/codec"
)

// A Refusal is why a change at run time is refused: a key of the profile and a sentence
// about it, or, without a key, a whole sentence. It may be told to whoever asked.
type Refusal struct {
	Key, Text string
}

// Error returns the refusal as one sentence.
func (r *Refusal) Error() string {
	if r.Key == "" {
		return r.Text
	}
	return r.Key + ": " + r.Text
}

// mayGive returns what p has that by, who asks for it, has not: nobody can give more than
// his own. p is judged as a whole, whatever of it is new.
func (by *Profile) mayGive(p *Profile) *Refusal {
	for _, judge := range []func(by, p *Profile) *Refusal{
		judgeTypes, judgeClasses, judgeActions, judgeScopes, judgeNetworks, judgeGuards, judgeFilters, judgeLimits,
	} {
		if r := judge(by, p); r != nil {
			return r
		}
	}
	return nil
}

// judgeTypes: an administrator has all that the other types have, but where it is limited:
// what is an agent's own is not found by its scopes alone.
func judgeTypes(by, p *Profile) *Refusal {
	limited := len(by.Queues)+len(by.Contexts)+len(by.Channels) > 0
	if limited && slices.Contains(p.Types, Agent) {
		return &Refusal{"types", `"agent" is not for those to give who have queues, contexts or channels`}
	}
	return nil
}

func judgeClasses(by, p *Profile) *Refusal {
	for _, c := range []struct {
		key        string
		own, given codec.Classes
	}{{"read", by.Read, p.Read}, {"write", by.Write, p.Write}} {
		if wider := c.given &^ c.own; wider != 0 {
			return &Refusal{c.key, fmt.Sprintf("has %q, which your own profile has not", wider)}
		}
	}
	return nil
}

func judgeActions(by, p *Profile) *Refusal {
	if len(by.Allow) > 0 && len(p.Allow) == 0 {
		return &Refusal{"allow", "must say what, for your own profile does"}
	}
	for _, name := range p.Allow {
		if len(by.Allow) > 0 && !covered(name, by.Allow) {
			return &Refusal{"allow", fmt.Sprintf("has %q, which your own profile's has not", name)}
		}
	}
	for _, name := range by.Deny {
		if !covered(name, p.Deny) {
			return &Refusal{"deny", fmt.Sprintf("must have %q, for your own profile does", name)}
		}
	}
	return nil
}

// judgeScopes compares as rights does: contexts alone with case.
func judgeScopes(by, p *Profile) *Refusal {
	for _, scope := range []struct {
		key        string
		own, given []string
		fold       func(string) string
	}{
		{"queues", by.Queues, p.Queues, lower},
		{"contexts", by.Contexts, p.Contexts, func(s string) string { return s }},
		{"channels", by.Channels, p.Channels, lower},
	} {
		if len(scope.own) > 0 && len(scope.given) == 0 {
			return &Refusal{scope.key, "must say which, for your own profile does"}
		}
		for _, name := range scope.given {
			inside := func(own string) bool { return strings.HasPrefix(scope.fold(name), scope.fold(own)) }
			if len(scope.own) > 0 && !slices.ContainsFunc(scope.own, inside) {
				return &Refusal{scope.key, fmt.Sprintf("has %q, which is outside your own profile's", name)}
			}
		}
	}
	return nil
}

func judgeNetworks(by, p *Profile) *Refusal {
	if !p.Networks.within(by.Networks) {
		return &Refusal{"permit", "lets in addresses that your own profile does not (deny counts, too)"}
	}
	return nil
}

// judgeGuards: nothing of this kind is kept from who is dangerous.
func judgeGuards(by, p *Profile) *Refusal {
	if by.Dangerous {
		return nil
	}
	for _, name := range p.Applications {
		if !covered(name, by.Applications) {
			return &Refusal{"applications", fmt.Sprintf("has %q, which your own profile's has not", name)}
		}
	}
	for _, command := range p.Commands {
		words := strings.Fields(lower(command))
		begins := func(own string) bool {
			start := strings.Fields(lower(own))
			return len(words) >= len(start) && slices.Equal(words[:len(start)], start)
		}
		if !slices.ContainsFunc(by.Commands, begins) {
			return &Refusal{"commands", fmt.Sprintf("has %q, which your own profile's has not", command)}
		}
	}
	return nil
}

// judgeFilters: what a filter hides from somebody others get by him neither. One that
// does not begin with "!" may let more events through beside others of its kind, and only
// fewer beside none.
func judgeFilters(by, p *Profile) *Refusal {
	drops := func(f Filter) bool { return f.Criteria == "" && strings.HasPrefix(f.Expr, "!") }
	for _, f := range by.Filters {
		if !slices.Contains(p.Filters, f) {
			return &Refusal{"filters", fmt.Sprintf("must have %q, for your own profile does", f)}
		}
	}
	onlyDrop := !slices.ContainsFunc(by.Filters, func(f Filter) bool { return !drops(f) })
	for _, f := range p.Filters {
		if !onlyDrop && !drops(f) && !slices.Contains(by.Filters, f) {
			return &Refusal{"filters", fmt.Sprintf("has %q: beside the filters of your own profile only such with ! in front", f)}
		}
	}
	return nil
}

func judgeLimits(by, p *Profile) *Refusal {
	for _, limit := range []struct {
		key        string
		own, given int
	}{
		{"max_sessions", by.MaxSessions, p.MaxSessions},
		{"actions_per_second", by.ActionsPerSecond, p.ActionsPerSecond},
	} {
		if limit.own > 0 && (limit.given == 0 || limit.given > limit.own) {
			return &Refusal{limit.key, fmt.Sprintf("must be from 1 to %d, as your own profile's", limit.own)}
		}
	}
	return nil
}

// covered tells whether one of the patterns matches all that name does, in which a "*"
// may stand for anything, too.
func covered(name string, patterns []string) bool {
	start, end, open := strings.Cut(lower(name), "*")
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		before, after, any := strings.Cut(lower(pattern), "*")
		switch {
		case !any:
			return !open && before == start
		case !open:
			return len(start) >= len(before)+len(after) && strings.HasPrefix(start, before) && strings.HasSuffix(start, after)
		}
		return strings.HasPrefix(start, before) && strings.HasSuffix(end, after)
	})
}

// lower folds case as Asterisk compares: A to Z alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
