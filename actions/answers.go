package actions

// answers says of some actions' answers what actions.tsv has no column for.
var answers = map[string]struct {
	oneEvent   string
	noActionID bool
	early      bool
}{
	// "FAXStats event will follow", then that event: manager_fax_stats and
	// manager_fax_session in res/res_fax.c.
	"FAXStats":   {oneEvent: "FAXStats"},
	"FAXSession": {oneEvent: "FAXSession"},

	// Its items carry no ActionID: observed with Asterisk 16 and 22.
	"IAXpeers": {noActionID: true},
	// Free text without any header, with no call nothing but an empty line:
	// manager_iax2_show_netstats in channels/chan_iax2.c.
	"IAXnetstats": {noActionID: true},
	"Queues":      {noActionID: true},

	// The acknowledgement is written first, then the event is made: action_userevent
	// in main/manager.c; two on two connections changed places with Asterisk 16 and 22.
	"UserEvent": {early: true},
}

// older are actions that neither Asterisk 16 nor 22 has and that an upstream may
// still list.
var older = []Action{
	// The text of "queue show", for anybody: manager_queues_show in apps/app_queue.c
	// of older Asterisks.
	{Name: "Queues", ReadOnly: true},
}

// own are those that no Asterisk has: ampd answers them itself.
var own = []Action{
	{Name: "AmpdSnapshot", ReadOnly: true, SessionBound: true, ListEnd: "AmpdSnapshotComplete"},
}
