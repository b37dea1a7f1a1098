package simulator

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// What the simulated Asterisk says it is.
const (
	managerVersion  = "11.0.0"
	asteriskVersion = "22.0.0-simulator"
)

func coreSettings(r *request) {
	r.respond("Success")
	r.add("AMIversion", managerVersion)
	r.add("AsteriskVersion", asteriskVersion)
	r.add("SystemName", r.c.cfg.SystemName)
	r.add("CoreMaxCalls", "0")
	r.add("CoreMaxLoadAvg", "0.000000")
	r.add("CoreRunUser", "")
	r.add("CoreRunGroup", "")
	r.add("CoreMaxFilehandles", "0")
	r.add("CoreRealTimeEnabled", "No")
	r.add("CoreCDRenabled", "Yes")
	r.add("CoreHTTPenabled", "No")
	r.add("SoundsSearchCustomDir", "No")
	r.end()
}

func coreStatus(r *request) {
	since := r.c.started.UTC()
	r.respond("Success")
	r.add("CoreStartupDate", since.Format(time.DateOnly))
	r.add("CoreStartupTime", since.Format(time.TimeOnly))
	r.add("CoreReloadDate", since.Format(time.DateOnly))
	r.add("CoreReloadTime", since.Format(time.TimeOnly))
	r.add("CoreCurrentCalls", strconv.Itoa(r.c.calls()))
	r.add("CoreProcessedCalls", strconv.Itoa(r.c.processed))
	r.end()
}

// calls is the number of channels that run the dialplan.
func (c *centre) calls() int {
	n := 0
	for _, ch := range c.channels {
		if ch.pbx {
			n++
		}
	}
	return n
}

// duration since a channel was made, as h:m:s.
func (ch *channel) duration() string {
	s := int64(ch.c.clock.Sub(ch.created) / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func coreShowChannels(r *request) {
	r.beginList("Channels will follow")
	for _, ch := range r.c.channels {
		r.item("CoreShowChannel")
		r.out = ch.appendSnapshot(r.out, "")
		r.add("Application", ch.app)
		r.add("ApplicationData", ch.data)
		r.add("Duration", ch.duration())
		r.add("BridgeId", ch.bridgeID())
		r.end()
	}
	r.endList("CoreShowChannelsComplete", len(r.c.channels))
	r.end()
}

func status(r *request) {
	list := r.c.channels
	if name := r.get("Channel"); name != "" {
		ch := r.c.findChannel(name)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		list = []*channel{ch}
	}
	r.beginList("Channel status will follow")
	for _, ch := range list {
		r.add("Event", "Status")
		r.add("Privilege", "Call")
		r.out = ch.appendSnapshot(r.out, "")
		tech, _, _ := strings.Cut(ch.name, "/")
		r.add("Type", tech)
		r.add("DNID", ch.dnid)
		r.add("EffectiveConnectedLineNum", unknown(ch.connNum))
		r.add("EffectiveConnectedLineName", unknown(ch.connName))
		r.add("TimeToHangup", "0")
		r.add("BridgeID", ch.bridgeID())
		r.add("Application", ch.app)
		r.add("Data", ch.data)
		format := "ulaw"
		if tech == "Local" {
			format = "slin"
		}
		r.add("Nativeformats", "("+format+")")
		r.add("Readformat", format)
		r.add("Readtrans", "")
		r.add("Writeformat", format)
		r.add("Writetrans", "")
		r.add("Callgroup", "0")
		r.add("Pickupgroup", "0")
		r.add("Seconds", strconv.FormatInt(int64(r.c.clock.Sub(ch.created)/time.Second), 10))
		for _, name := range splitVariables(r.get("Variables")) {
			r.add("Variable", name+"="+ch.variable(name))
		}
		r.endItem()
	}
	r.endList("StatusComplete", len(list))
	r.add("Items", strconv.Itoa(len(list)))
	r.end()
}

func splitVariables(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// variable reads a channel's variable or one of the few functions that the
// simulator has; anything else is empty.
func (ch *channel) variable(name string) string {
	switch name {
	case "CALLERID(num)":
		return ch.callerNum
	case "CALLERID(name)":
		return ch.callerName
	case "CALLERID(all)":
		return `"` + ch.callerName + `" <` + ch.callerNum + ">"
	case "CHANNEL(state)":
		return stateNames[ch.state]
	}
	if value, ok := ch.vars[name]; ok {
		return value
	}
	return ch.c.globals[name]
}

func getvar(r *request) {
	name := r.get("Variable")
	if name == "" {
		r.fail("No variable specified")
		return
	}
	value := ""
	if channel := r.get("Channel"); channel != "" {
		ch := r.c.findChannel(channel)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		value = ch.variable(name)
	} else if dev, ok := strings.CutPrefix(name, "DEVICE_STATE("); ok {
		value = r.c.deviceState(strings.TrimSuffix(dev, ")"))
	} else {
		value = r.c.globals[name]
	}
	r.respond("Success")
	r.add("Variable", name)
	r.add("Value", value)
	r.end()
}

func (c *centre) deviceState(name string) string {
	for _, d := range c.devices {
		if strings.EqualFold(d.name, name) {
			return d.state
		}
	}
	return "INVALID"
}

func setvar(r *request) {
	name, value := r.get("Variable"), r.get("Value")
	if name == "" {
		r.fail("No variable specified")
		return
	}
	if channel := r.get("Channel"); channel != "" {
		ch := r.c.findChannel(channel)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		ch.set(name, value)
	} else {
		r.c.setGlobal(name, value)
	}
	r.succeed("Variable Set")
}

// hangup follows action_hangup: a channel, or all that match /REGEX/.
func hangup(r *request) {
	name := r.get("Channel")
	if name == "" {
		r.fail("No channel specified")
		return
	}
	cause, err := strconv.Atoi(r.get("Cause"))
	if err != nil || cause < 0 || cause > 127 {
		cause = causeNormal
	}
	if len(name) < 2 || name[0] != '/' || name[len(name)-1] != '/' {
		ch := r.c.findChannel(name)
		if ch == nil {
			r.fail("No such channel")
			return
		}
		r.succeed("Channel Hungup")
		ch.hang(cause)
		return
	}
	re, err := regexp.Compile(name[1 : len(name)-1])
	if err != nil {
		r.fail("Regex compile failed on: " + name)
		return
	}
	var list []*channel
	for _, ch := range r.c.channels {
		if re.MatchString(ch.name) {
			list = append(list, ch)
		}
	}
	r.beginList("Channels hung up will follow")
	for _, ch := range list {
		r.add("Event", "ChannelHungup")
		r.add("Channel", ch.name)
		r.endItem()
	}
	r.endList("ChannelsHungupListComplete", len(list))
	r.end()
	for _, ch := range list {
		if !ch.gone {
			ch.hang(cause)
		}
	}
}

func deviceStateList(r *request) {
	r.beginList("Device State Changes will follow")
	for _, d := range r.c.devices {
		r.item("DeviceStateChange")
		r.add("Device", d.name)
		r.add("State", d.state)
		r.end()
	}
	r.endList("DeviceStateListComplete", len(r.c.devices))
	r.end()
}

func (r *request) hint(d *device) {
	status, text := d.extension()
	r.add("Exten", d.exten)
	r.add("Context", hints)
	r.add("Hint", d.name)
	r.add("Status", status)
	r.add("StatusText", text)
}

func extensionStateList(r *request) {
	r.beginList("Extension Statuses will follow")
	n := 0
	for _, d := range r.c.devices {
		if d.exten != "" {
			r.item("ExtensionStatus")
			r.hint(d)
			r.end()
			n++
		}
	}
	r.endList("ExtensionStateListComplete", n)
	r.end()
}

func extensionState(r *request) {
	exten, context := r.get("Exten"), r.get("Context")
	if exten == "" {
		r.fail("Extension not specified")
		return
	}
	if context == "" {
		context = "default"
	}
	r.respond("Success")
	r.add("Message", "Extension Status")
	for _, d := range r.c.devices {
		if d.exten == exten && context == hints {
			r.hint(d)
			r.end()
			return
		}
	}
	r.add("Exten", exten)
	r.add("Context", context)
	r.add("Hint", "")
	r.add("Status", "-1")
	r.add("StatusText", "Unknown")
	r.end()
}

func pjsipShowEndpoints(r *request) {
	r.beginList("A listing of Endpoints follows, presented as EndpointList events")
	for _, p := range r.c.phones {
		r.item("EndpointList")
		r.add("ObjectType", "endpoint")
		r.add("ObjectName", p.exten)
		r.add("Transport", "transport-udp")
		r.add("Aor", p.exten)
		auths := p.exten
		if p == r.c.trunk {
			auths = ""
		}
		r.add("Auths", auths)
		r.add("OutboundAuths", "")
		r.add("Contacts", p.exten+"/sip:"+p.exten+"@127.0.0.1:5060,")
		r.add("DeviceState", map[string]string{
			notInUse: "Not in use", inUse: "In use", isRinging: "Ringing", ringInUse: "Ring+Inuse",
		}[p.device.state])
		r.add("ActiveChannels", strconv.Itoa(len(p.channels)))
		r.end()
	}
	r.endList("EndpointListComplete", len(r.c.phones))
	r.end()
}

// pjsipShowContacts answers as Asterisk does when no phone is registered: those of
// the simulator have fixed addresses. The line ends in a line feed of its own.
func pjsipShowContacts(r *request) {
	r.respond("Error")
	r.out = append(r.out, "Message: No Contacts found\n\r\n"...)
	r.end()
}

func mailboxCount(r *request) {
	mailbox := r.get("Mailbox")
	if mailbox == "" {
		r.fail("Mailbox not specified")
		return
	}
	r.respond("Success")
	r.add("Message", "Mailbox Message Count")
	r.add("Mailbox", mailbox)
	r.add("UrgMessages", "0")
	r.add("NewMessages", "0")
	r.add("OldMessages", "0")
	r.end()
}

func mailboxStatus(r *request) {
	mailbox := r.get("Mailbox")
	if mailbox == "" {
		r.fail("Mailbox not specified")
		return
	}
	r.respond("Success")
	r.add("Message", "Mailbox Status")
	r.add("Mailbox", mailbox)
	r.add("Waiting", "0")
	r.end()
}

// databaseKey is the path of Family and Key, or "" when r was answered.
func databaseKey(r *request, dot string) string {
	family, key := r.get("Family"), r.get("Key")
	switch {
	case family == "":
		r.fail("No family specified" + dot)
	case key == "":
		r.fail("No key specified" + dot)
	default:
		return "/" + family + "/" + key
	}
	return ""
}

func dbPut(r *request) {
	if path := databaseKey(r, ""); path != "" {
		r.c.database[path] = r.get("Val")
		r.succeed("Updated database successfully")
	}
}

func dbGet(r *request) {
	path := databaseKey(r, ".")
	if path == "" {
		return
	}
	value, ok := r.c.database[path]
	if !ok {
		r.fail("Database entry not found")
		return
	}
	r.beginList("Result will follow")
	r.add("Event", "DBGetResponse")
	r.add("Family", r.get("Family"))
	r.add("Key", r.get("Key"))
	r.add("Val", value)
	r.endItem()
	r.endList("DBGetComplete", 1)
	r.end()
}

func dbDel(r *request) {
	path := databaseKey(r, ".")
	if path == "" {
		return
	}
	if _, ok := r.c.database[path]; !ok {
		r.fail("Database entry could not be deleted")
		return
	}
	delete(r.c.database, path)
	r.succeed("Key deleted successfully")
}

// tree lists the paths of the database below Family and Key, in order.
func tree(r *request) []string {
	prefix := ""
	if family := r.get("Family"); family != "" {
		prefix = "/" + family
		if key := r.get("Key"); key != "" {
			prefix += "/" + key
		}
	}
	var paths []string
	for path := range r.c.database {
		if prefix == "" || path == prefix || strings.HasPrefix(path, prefix+"/") {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	return paths
}

func dbGetTree(r *request) {
	paths := tree(r)
	if len(paths) == 0 {
		r.fail("Database entry not found")
		return
	}
	r.beginList("Result will follow")
	for _, path := range paths {
		r.add("Event", "DBGetTreeResponse")
		r.add("Key", path)
		r.add("Val", r.c.database[path])
		r.endItem()
	}
	r.endList("DBGetTreeComplete", len(paths))
	r.end()
}

func dbDelTree(r *request) {
	if r.get("Family") == "" {
		r.fail("No family specified.")
		return
	}
	paths := tree(r)
	if len(paths) == 0 {
		r.fail("Database entry not found")
		return
	}
	for _, path := range paths {
		delete(r.c.database, path)
	}
	r.succeed("Key tree deleted successfully")
}
