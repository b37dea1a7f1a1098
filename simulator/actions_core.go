package simulator

import (
	"strconv"
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
