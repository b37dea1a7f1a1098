// Package rights is the one place that decides which event a session sees and
// which action it runs, and what is masked in what it gets. What is not known to be
// allowed is refused.
//
// A [Subject] is one profile under one of its types, compiled once and shared by
// its sessions. It asks what is tracked of Asterisk, so it and its Views and Answers
// are used under the lock of the state. [Subject.Judge] judges an action, [View.See] an
// event, [Subject.Answer] its answer, [Subject.Item] an item of a snapshot.
//
// # How an action is judged
//
// In this order; the first that refuses decides:
//
//  1. An action that this Asterisk does not list gets Asterisk's own words for it.
//     The actions that ampd answers itself (actions.Action.SessionBound) always exist.
//  2. deny: the profile names it. "Queue*" names all that begin so.
//  3. The type: a monitor runs only what the table of actions marks read-only. An
//     action in no table needs an allow that names it in full, an administrator
//     aside.
//  4. allow: where a profile has any, only what it names ("*" names everything).
//     What ampd answers itself need not be named.
//  5. The classes: any one of those that Asterisk asks, as this Asterisk's
//     ListCommands tells, or the table where it was never seen; then the classes of
//     ampd's own on top (rules.classes).
//  6. What Asterisk itself would look at beyond the classes (rules.own): its account
//     of ampd's may do everything, so ampd has to.
//  7. The objects that its headers name (objectRules): for all but administrators
//     without a scope a channel must be one that there is, and its name is what is
//     sent; for a session with a scope an object outside is as good as missing; an
//     agent's must be its own.
//  8. Without dangerous: what reaches beyond Asterisk's classes (rules.refused,
//     rules.checks). A monitor is never without these checks.
//
// A session that is limited, by scopes or because it is an agent's, runs only actions and
// sees only events and items of lists of which the rules say what they name.
//
// A header that decides is judged in each of its occurrences, though Asterisk looks
// at one of them.
//
// # Sources
//
// Which names, applications, functions, options and commands do harm, and how
// Asterisk takes their arguments apart, was read in the sources of Asterisk 22 (the
// functions are named where they count) and tried on Asterisk 16 and 22; what was
// tried is testdata/attacks.toml.
package rights
