package actions

import "ampd/codec"

// A Command is one of the classic ampd protocol's: a name of its own for an action of
// Asterisk's, an action with parameters of its own, or something that ampd answers.
type Command struct {
	Name   string // as answers spell it
	Params []Param

	// Classes are asked where Asterisk has no action of that name; of those that it has
	// it says them itself.
	Classes  codec.Classes
	ReadOnly bool // changes nothing; where Asterisk has the action its own row says it

	// Like is the action of Asterisk's whose rules hold for what it names, "" for the
	// command's own.
	Like string

	Text string // what it is for, for docs/commands.md
}

// A Param is a parameter of a command.
type Param struct {
	Name     string
	Required bool
	Kind     Kind
}

// A Kind is what the value of a parameter has to be, where the command does not say more of
// it. One that is empty is not given.
type Kind uint8

// The kinds.
const (
	Text   Kind = iota
	Switch      // true or false, in the words of Asterisk
	Number      // a whole number that C's int holds, not negative
)

// kinds are those of parameters that are no text, in whatever command.
var kinds = map[string]Kind{
	"AckCall": Switch, "Async": Switch, "Combine": Switch, "Paused": Switch, "SoftHangUp": Switch, "isFlash": Switch,
	"WrapupTime": Number,
}

func required(names ...string) []Param {
	params := make([]Param, len(names))
	for i, name := range names {
		params[i] = Param{name, true, kinds[name]}
	}
	return params
}

func optional(params []Param, names ...string) []Param {
	for _, name := range names {
		params = append(params, Param{name, false, kinds[name]})
	}
	return params
}

// Commands are all of them, in the order of their names.
var Commands = []Command{
	{Name: "AbsoluteTimeout", Params: required("Channel", "Timeout"), Classes: codec.System | codec.Call, Text: "Ends a call `Timeout` seconds from now. A Timeout over 1,000,000,000 is a Unix time; 0 takes the timeout back; one that has passed is an error."},
	{Name: "AgentActivity", Params: optional(required("Agent"), "Since", "Until"), Classes: codec.Agent, ReadOnly: true, Text: "Lists what an agent (as AgentInfo names it) did, today unless Since says otherwise, the last 1,000 things: logins, logoffs, pauses, unpauses, calls answered, missed and finished. Since and Until are Unix times. What was before today the history knows, where ampd keeps one; the answer says Since when something is known."},
	{Name: "AgentCallbackLogin", Params: optional(required("Agent", "Exten", "Context"), "AckCall", "WrapupTime"), Classes: codec.Agent, Text: "Logs an agent in at an extension. An agent of `[[agent]]` with `queues` becomes a member of each of them, as `Local/EXTEN@CONTEXT/n`; AckCall and WrapupTime have no effect then. Any other is Asterisk's, where that has the action. Context must be one that Asterisk has."},
	{Name: "AgentInfo", Params: optional(nil, "Agent"), Classes: codec.Agent, ReadOnly: true, Like: "Agents", Text: "Lists agents, one or all: those of app_agent_pool, and those known only as members of queues. Agent is an id, also of `[[agent]]`, an interface or a MemberName."},
	{Name: "AgentLogoff", Params: optional(required("Agent"), "SoftHangUp"), Classes: codec.Agent, Text: "Logs an agent off. One of `[[agent]]` with `queues` leaves them, and its calls are hung up where SoftHangUp is off; of Asterisk's own it is its `Soft`."},
	{Name: "ChangeMonitor", Params: required("Channel", "File"), Classes: codec.Call, Text: "Goes on recording a channel to another file. Where Asterisk has no Monitor any more one file ends and the next begins; before that the whole recording gets the new name."},
	{Name: "ChannelInfo", Params: optional(nil, "Channel"), Classes: codec.System | codec.Call | codec.Reporting, ReadOnly: true, Like: "Status", Text: "Lists all channels, as `Status`."},
	{Name: "Command", Params: required("Command"), Classes: codec.Command, Text: "Runs a command of the CLI. Its output comes as text up to `--END COMMAND--`."},
	{Name: "Custom", Params: required("CAction"), Text: "Runs any action of Asterisk's: CAction becomes Action, all else passes. It is judged as that action."},
	{Name: "CustomFreeForm", Params: required("CAction"), Text: "As Custom; the output comes as that of Command does. An action that answers with headers has these as its text, a line each."},
	{Name: "DBDel", Params: required("Family", "Key"), Classes: codec.System, Text: "Deletes a key of Asterisk's database."},
	{Name: "DBDelTree", Params: optional(required("Family"), "Key"), Classes: codec.System, Text: "Deletes a family, or all that begins with its key."},
	{Name: "DBGet", Params: optional(required("Family"), "Key"), Classes: codec.System | codec.Reporting, ReadOnly: true, Text: "Reads a value of Asterisk's database, without Key all of the family."},
	{Name: "DBPut", Params: required("Family", "Key", "Val"), Classes: codec.System, Text: "Writes a value to Asterisk's database."},
	{Name: "DBShow", Classes: codec.System | codec.Reporting, ReadOnly: true, Like: "DBGetTree", Text: "Lists all of Asterisk's database."},
	{Name: "ExtensionState", Params: required("Exten", "Context"), Classes: codec.Call | codec.Reporting, ReadOnly: true, Text: "Tells the state of what is behind an extension."},
	{Name: "Getvar", Params: optional(required("Variable"), "Channel"), Classes: codec.Call | codec.Reporting, ReadOnly: true, Text: "Reads a variable of a channel, without Channel a global one."},
	{Name: "Hangup", Params: required("Channel"), Classes: codec.System | codec.Call, Text: "Hangs a channel up."},
	{Name: "Login", Params: optional(required("Username", "Secret", "Type"), "AgentID", "Format", "isFlash"), ReadOnly: true, Text: "Logs in. `Register` is the same, and `User` is Username. AgentID is required where Type is agent, unless the profile says who that is; Secret unless the profile trusts the client's address."},
	{Name: "MailboxCount", Params: optional(required("Mailbox"), "Context"), Classes: codec.Call | codec.Reporting, ReadOnly: true, Text: "Counts the messages of a mailbox. Context is required where Mailbox has no `@`."},
	{Name: "MailboxStatus", Params: optional(required("Mailbox"), "Context"), Classes: codec.Call | codec.Reporting, ReadOnly: true, Text: "Tells whether a mailbox has messages. Context is required where Mailbox has no `@`."},
	{Name: "Monitor", Params: optional(required("Channel"), "File", "Format", "Combine"), Classes: codec.Call, Text: "Records a channel: what it says to `FILE-in.FORMAT`, what it hears to `FILE-out.FORMAT`, with Combine both to `FILE.FORMAT`. FILE is the channel's name with `-` for `/`, FORMAT wav, unless said otherwise."},
	{Name: "Originate", Params: optional(required("Channel"), "Context", "Exten", "Priority", "Application", "Data", "Timeout", "CallerID", "Account", "Async", "Variable"), Classes: codec.Originate, Text: "Makes a call. Variables may stand in one Variable with `|` between them."},
	{Name: "ParkedCallInfo", Classes: codec.Call, ReadOnly: true, Like: "ParkedCalls", Text: "Lists parked calls, as `ParkedCalls`."},
	{Name: "PeerInfo", Params: optional(nil, "Type", "Peer"), Classes: codec.System | codec.Reporting, ReadOnly: true, Text: "Lists peers with their caller IDs: all, those of a Type (SIP, PJSIP, IAX2), or one."},
	{Name: "ProfileDelete", Params: required("Profile"), Classes: codec.System, Text: "Deletes a profile."},
	{Name: "ProfileGet", Params: required("Profile"), Classes: codec.System, Text: "Shows a profile, but for its secret."},
	{Name: "ProfileList", Classes: codec.System, Text: "Lists profiles, but for their secrets."},
	{Name: "ProfileUpdate", Params: required("Profile"), Classes: codec.System, Text: "Changes a profile, or makes a new one. The other headers are its keys."},
	{Name: "QueueAdd", Params: required("Queue", "Interface"), Classes: codec.Agent, Text: "Makes an interface a member of a queue."},
	{Name: "QueueInfo", Params: optional(nil, "Queue"), ReadOnly: true, Like: "QueueStatus", Text: "Lists queues with their members and callers, as `QueueStatus`."},
	{Name: "QueuePause", Params: optional(required("Queue", "Interface"), "Paused"), Classes: codec.Agent, Text: "Pauses a member of a queue, or ends its pause; without Paused it is paused."},
	{Name: "QueueRemove", Params: required("Queue", "Interface"), Classes: codec.Agent, Text: "Removes a member from a queue."},
	{Name: "Redirect", Params: optional(required("Channel", "Context", "Exten", "Priority"), "ExtraChannel"), Classes: codec.Call, Text: "Sends a channel elsewhere in the dialplan."},
	{Name: "ServerVersion", ReadOnly: true, Text: "Tells the versions of Asterisk, of its AMI and of ampd."},
	{Name: "Setvar", Params: optional(required("Variable"), "Value", "Channel"), Classes: codec.Call, Text: "Sets a variable of a channel, without Channel a global one, without Value to nothing."},
	{Name: "SIPshowpeer", Params: required("Peer"), Classes: codec.System | codec.Reporting, ReadOnly: true, Text: "Shows a SIP peer; where Asterisk has no chan_sip, a PJSIP endpoint."},
	{Name: "StatisticInfo", Params: optional(nil, "Type", "Queue", "Agent"), Classes: codec.Agent, ReadOnly: true, Text: "Lists statistics of queues and agents: of a Type (Queue, Agent), of one Queue or one Agent, or all."},
	{Name: "StopMonitor", Params: required("Channel"), Classes: codec.Call, Text: "Ends the recording of a channel."},
}
