package rights

// A kind says what a header names.
type kind uint8

const (
	noObject  kind = iota // the action or event names no object
	aChannel              // a channel by its name, in events with a Uniqueid beside it; in an action by its name or Uniqueid
	aCall                 // a bridge, which counts for agents only
	aBridge               // a bridge by its BridgeUniqueid
	aDial                 // what is to be dialled: the beginning of a channel's name
	aCalled               // what was dialled, or the channel that came of it
	aDevice               // "PJSIP/101"; of another kind "Queue:support_avail"
	aHint                 // devices with "&" between them, and behind a comma who tells of presence
	aPeer                 // a peer, whose device its technology is a part of
	aQueue                // a queue
	aQueues               // all queues that something is about, with commas between them
	aMember               // a member of a queue, by its interface
	aContext              // a context of the dialplan
	anExten               // an extension in a context
	anAgent               // an agent by its id
	aVariable             // a channel variable, which counts for agents only
)

// A bond is what an object must be to an agent.
type bond uint8

const (
	never bond = iota // an agent may not name it; in an event: does not make it the agent's
	free              // no matter
	mine              // its channel, call, membership, queue, itself
	own               // of channels: its own, not one that it talks to
	named             // one that the profile's scope names: without a scope there is none
)

type (
	// An objectRule says what a header of an action names. A limited session must give a
	// needed header; missing are Asterisk's words where there is no such object, "%s" in
	// them what was asked for.
	objectRule struct {
		action, header string
		kind           kind
		needed         bool
		agent          bond
		missing        string
		source         string
	}

	// An aboutRule says what a header of an event, or of an item of a list, names. The
	// event is an agent's where any of the headers is bound to it.
	aboutRule struct {
		events string // names with blanks between them
		header string
		kind   kind
		agent  bond
		source string
	}

	// An agentRule is an action that an agent may run on what is its. Where it sends
	// calls the profile must name contexts.
	agentRule struct {
		action string
		calls  bool
		source string
	}

	// A setRule is a header of an action of an agent's that is not the agent's to set.
	setRule struct{ action, header, source string }
)

// objectRules are for limited sessions and, those of channels, for monitors. An action
// that they do not know a limited session does not run.
var objectRules = []objectRule{
	// Channels.
	{"AbsoluteTimeout", "Channel", aChannel, true, never, "No such channel", "action_timeout in main/manager.c"},
	{"AgentActivity", "Agent", anAgent, true, mine, "No such agent", "a command of ampd's"},
	{"AgentCallbackLogin", "Agent", anAgent, true, mine, "No such agent", "a command of ampd's"},
	{"AgentCallbackLogin", "Context", aContext, true, named, "", "a command of ampd's: callers of its queues are sent there"},
	{"AgentCallbackLogin", "Exten", anExten, true, free, "", "a command of ampd's: callers of its queues are sent there"},
	{"AgentLogoff", "Agent", anAgent, true, mine, "No such agent", "action_agent_logoff in apps/app_agent_pool.c"},
	{"Atxfer", "Channel", aChannel, true, own, "Channel specified does not exist", "action_atxfer in main/manager.c"},
	{"Atxfer", "Context", aContext, true, named, "", "action_atxfer in main/manager.c; without it the channel's own"},
	{"Atxfer", "Exten", anExten, true, free, "", "dial_transfer in main/bridge_basic.c dials EXTEN@CONTEXT as it stands"},
	{"BlindTransfer", "Channel", aChannel, true, own, "Channel specified does not exist", "action_blind_transfer in main/manager.c"},
	{"BlindTransfer", "Context", aContext, true, named, "", "action_blind_transfer in main/manager.c; without it the channel's own"},
	{"BlindTransfer", "Exten", anExten, true, free, "", "ast_bridge_transfer_blind in main/bridge.c dials EXTEN@CONTEXT as it stands"},
	{"BridgeInfo", "BridgeUniqueid", aBridge, true, mine, "Specified BridgeUniqueid not found", "manager_bridge_info in main/manager_bridges.c"},
	{"BridgeList", "", noObject, false, free, "", "manager_bridges_list in main/manager_bridges.c; its items are judged"},
	{"CancelAtxfer", "Channel", aChannel, true, own, "Channel specified does not exist", "action_cancel_atxfer in main/manager.c"},
	{"ChangeMonitor", "Channel", aChannel, true, mine, "No such channel", "change_monitor_action in res/res_monitor.c"},
	{"ControlPlayback", "Channel", aChannel, true, never, "No such channel", "controlplayback_manager in apps/app_controlplayback.c"},
	{"CoreSettings", "", noObject, false, never, "", "action_coresettings in main/manager.c"},
	{"CoreShowChannelMap", "Channel", aChannel, true, never, "Could not get channel snapshot", "action_coreshowchannelmap in main/manager.c"},
	{"CoreShowChannels", "", noObject, false, free, "", "action_coreshowchannels in main/manager.c; its items are judged"},
	{"CoreStatus", "", noObject, false, never, "", "action_corestatus in main/manager.c: how many calls"},
	{"DeviceStateList", "", noObject, false, free, "", "action_devicestatelist in res/res_manager_devicestate.c; its items are judged"},
	{"Getvar", "Channel", aChannel, true, own, "No such channel", "action_getvar in main/manager.c; a global variable without it, and where it has none of the name"},
	{"Hangup", "Channel", aChannel, true, mine, "No such channel", "ast_manager_hangup_helper in main/manager.c; /a regex/ hangs up all that it matches"},
	{"LocalOptimizeAway", "Channel", aChannel, true, never, "Channel does not exist.", "manager_optimize_away in main/core_local.c"},
	{"MixMonitor", "Channel", aChannel, true, mine, "No such channel", "manager_mixmonitor in apps/app_mixmonitor.c"},
	{"MixMonitorMute", "Channel", aChannel, true, mine, "No such channel", "manager_mute_mixmonitor in apps/app_mixmonitor.c"},
	{"Monitor", "Channel", aChannel, true, mine, "No such channel", "start_monitor_action in res/res_monitor.c"},
	{"MuteAudio", "Channel", aChannel, true, never, "No such channel", "manager_mutestream in res/res_mutestream.c"},
	{"Park", "Channel", aChannel, true, mine, "Channel does not exist: %s", "manager_park in res/parking/parking_manager.c"},
	{"Park", "Parkinglot", noObject, false, never, "", "manager_park in res/parking/parking_manager.c: any lot"},
	{"Park", "TimeoutChannel", aChannel, false, own, "Channel does not exist: %s", "manager_park in res/parking/parking_manager.c: whose device is called in the end"},
	{"Park", "Channel2", aChannel, false, own, "Channel does not exist: %s", "manager_park in res/parking/parking_manager.c: another name of TimeoutChannel"},
	{"Park", "AnnounceChannel", aChannel, false, own, "AnnounceChannel does not exist", "manager_park in res/parking/parking_manager.c: hears the space"},
	{"ParkedCalls", "ParkingLot", noObject, false, never, "", "manager_parking_status in res/parking/parking_manager.c: tells whether there is one; its items are judged"},
	{"PauseMonitor", "Channel", aChannel, true, mine, "No such channel", "pause_monitor_action in res/res_monitor.c"},
	{"PJSIPHangup", "Channel", aChannel, true, mine, "No such channel", "pjsip_action_hangup in channels/chan_pjsip.c"},
	{"PeerInfo", "", noObject, false, free, "", "a command of ampd's; its items are judged"},
	{"PlayDTMF", "Channel", aChannel, true, never, "Channel not found", "manager_play_dtmf in apps/app_senddtmf.c"},
	{"PlayDTMF", "Receive", noObject, false, never, "", "manager_play_dtmf in apps/app_senddtmf.c: as if the channel had sent them, feature codes too"},
	{"PlayMF", "Channel", aChannel, true, never, "Channel not found", "manager_play_mf in apps/app_mf.c"},
	{"Redirect", "Channel", aChannel, true, mine, "Channel does not exist: %s", "action_redirect in main/manager.c"},
	{"Redirect", "ExtraChannel", aChannel, false, mine, "ExtraChannel does not exist: %s", "action_redirect in main/manager.c"},
	{"Redirect", "Context", aContext, true, named, "", "action_redirect in main/manager.c"},
	{"Redirect", "ExtraContext", aContext, false, named, "", "action_redirect in main/manager.c; without it Context"},
	{"Redirect", "Exten", anExten, true, free, "", "action_redirect in main/manager.c"},
	{"Redirect", "ExtraExten", anExten, false, free, "", "action_redirect in main/manager.c"},
	{"SendFlash", "Channel", aChannel, true, never, "Channel not found", "manager_send_flash in apps/app_senddtmf.c"},
	{"SendFlash", "Receive", noObject, false, never, "", "manager_send_flash in apps/app_senddtmf.c: as if the channel had sent it"},
	{"SendText", "Channel", aChannel, true, never, "No such channel", "action_sendtext in main/manager.c"},
	{"ServerVersion", "", noObject, false, free, "", "a command of ampd's"},
	{"Setvar", "Channel", aChannel, true, own, "No such channel", "action_setvar in main/manager.c; without it a global variable"},
	{"StatisticInfo", "", noObject, false, free, "", "a command of ampd's; its items are judged"},
	{"Status", "Channel", aChannel, false, mine, "No such channel", "action_status in main/manager.c; its items are judged"},
	{"Status", "Variables", aVariable, false, never, "", "generate_status in main/manager.c: of all channels that it shows"},
	{"Status", "AllVariables", aVariable, false, never, "", "generate_status in main/manager.c: of all channels that it shows"},
	{"StopMixMonitor", "Channel", aChannel, true, mine, "No such channel", "manager_stop_mixmonitor in apps/app_mixmonitor.c"},
	{"StopMonitor", "Channel", aChannel, true, mine, "No such channel", "stop_monitor_action in res/res_monitor.c"},
	{"UnpauseMonitor", "Channel", aChannel, true, mine, "No such channel", "unpause_monitor_action in res/res_monitor.c"},

	// Originate.
	{"Originate", "Channel", aDial, true, own, "Invalid channel", "action_originate in main/manager.c"},
	{"Originate", "Context", aContext, true, named, "Extension does not exist.", "action_originate in main/manager.c"},
	{"Originate", "Exten", anExten, true, free, "", "action_originate in main/manager.c"},
	{"Originate", "Application", noObject, false, never, "", "action_originate in main/manager.c: queues, conferences, mailboxes in its Data"},
	{"Originate", "Data", noObject, false, never, "", "action_originate in main/manager.c: belongs to Application"},
	{"Originate", "PreDialGoSub", noObject, false, never, "", "action_originate in main/manager.c: runs any context"},
	{"Originate", "ChannelId", noObject, false, never, "", "action_originate in main/manager.c: a Uniqueid that may be another's"},
	{"Originate", "OtherChannelId", noObject, false, never, "", "action_originate in main/manager.c: a Uniqueid that may be another's"},

	// Queues.
	{"QueueAdd", "Queue", aQueue, true, named, "Unable to add interface to queue: No such queue", "manager_add_queue_member in apps/app_queue.c"},
	{"QueueAdd", "Interface", aDial, true, own, "", "manager_add_queue_member in apps/app_queue.c: callers are sent there"},
	{"QueueAdd", "StateInterface", aDevice, false, mine, "", "manager_add_queue_member in apps/app_queue.c"},
	{"QueueChangePriorityCaller", "Queue", aQueue, true, never, "Unable to change priority caller on queue: No such queue", "manager_change_priority_caller_on_queue in apps/app_queue.c"},
	{"QueueChangePriorityCaller", "Caller", aChannel, true, never, "Unable to change priority caller on queue: No such caller", "manager_change_priority_caller_on_queue in apps/app_queue.c"},
	{"QueueMemberRingInUse", "Queue", aQueue, true, never, "Invalid interface, queuename, or ringinuse value", "manager_queue_member_ringinuse in apps/app_queue.c; without it all queues"},
	{"QueueMemberRingInUse", "Interface", aDevice, false, never, "Invalid interface, queuename, or ringinuse value", "manager_queue_member_ringinuse in apps/app_queue.c"},
	{"QueuePause", "Queue", aQueue, true, free, "Interface not found", "manager_pause_queue_member in apps/app_queue.c; without it all queues"},
	{"QueuePause", "Interface", aDevice, false, mine, "Interface not found", "manager_pause_queue_member in apps/app_queue.c"},
	{"QueuePenalty", "Queue", aQueue, true, never, "Invalid interface, queuename or penalty", "manager_queue_member_penalty in apps/app_queue.c; without it all queues"},
	{"QueuePenalty", "Interface", aDevice, false, never, "Invalid interface, queuename or penalty", "manager_queue_member_penalty in apps/app_queue.c"},
	{"QueueReload", "Queue", aQueue, true, never, "Error encountered while reloading queue", "manager_queue_reload in apps/app_queue.c; without it all queues"},
	{"QueueReload", "Rules", noObject, false, never, "", "manager_queue_reload in apps/app_queue.c: the rules of all queues"},
	{"QueueRemove", "Queue", aQueue, true, mine, "Unable to remove interface from queue: No such queue", "manager_remove_queue_member in apps/app_queue.c"},
	{"QueueRemove", "Interface", aDevice, false, mine, "Unable to remove interface: Not there", "manager_remove_queue_member in apps/app_queue.c"},
	{"QueueReset", "Queue", aQueue, true, never, "Error encountered while resetting queue stats", "manager_queue_reset in apps/app_queue.c; without it all queues"},
	{"QueueStatus", "", noObject, false, free, "", "manager_queues_status in apps/app_queue.c; its items are judged"},
	{"QueueSummary", "", noObject, false, free, "", "manager_queues_summary in apps/app_queue.c; its items are judged"},
	{"QueueWithdrawCaller", "Queue", aQueue, true, never, "Unable to request withdraw from queue: No such queue", "manager_request_withdraw_caller_from_queue in apps/app_queue.c"},
	{"QueueWithdrawCaller", "Caller", aChannel, true, never, "Unable to request withdraw from queue: No such caller", "manager_request_withdraw_caller_from_queue in apps/app_queue.c"},

	// Contexts, agents.
	{"Agents", "", noObject, false, free, "", "action_agents in apps/app_agent_pool.c; its items are judged"},
	{"ExtensionState", "Context", aContext, true, never, "", "action_extensionstate in main/manager.c; without it default"},
	{"ExtensionStateList", "", noObject, false, never, "", "action_extensionstatelist in main/pbx.c; its items are judged"},
	{"ShowDialPlan", "Context", aContext, false, never, "Did not find context %s", "manager_show_dialplan in main/pbx.c; its items are judged"},
	{"ShowDialPlan", "Extension", noObject, false, never, "", "manager_show_dialplan in main/pbx.c: tells whether any context has it"},
}

const oneChannel = "Newchannel Newstate NewCallerid NewConnectedLine NewAccountCode Newexten HangupRequest SoftHangupRequest Hangup Hold Unhold " +
	"MusicOnHoldStart MusicOnHoldStop DTMFBegin DTMFEnd Flash Wink ChannelTalkingStart ChannelTalkingStop " +
	"MixMonitorStart MixMonitorStop MixMonitorMute MonitorStart MonitorStop RTCPSent RTCPReceived"

// aboutRules are for limited sessions, which see nothing else.
var aboutRules = []aboutRule{
	{"FullyBooted Shutdown", "", noObject, free, "main/asterisk.c; is about nobody"},
	{"Reload", "", noObject, never, "main/loader.c; names a module"},

	{oneChannel, "Channel", aChannel, mine, "main/manager_channels.c, apps/app_mixmonitor.c, res/res_monitor.c, main/rtp_engine.c"},
	{"Newexten", "Context", aContext, never, "channel_newexten in main/manager_channels.c"},
	{"Rename", "Channel", aChannel, mine, "ast_channel_change_name in main/channel_internal_api.c"},
	{"Rename", "Newname", aChannel, mine, "ast_channel_change_name in main/channel_internal_api.c"},
	{"VarSet", "Channel", aChannel, own, "varset_to_ami in main/stasis_channels.c"},
	{"DialBegin DialState DialEnd", "Channel", aChannel, mine, "channel_dial_cb in main/manager_channels.c"},
	{"DialBegin DialState DialEnd", "DestChannel", aChannel, mine, "channel_dial_cb in main/manager_channels.c"},
	{"LocalBridge LocalOptimizationBegin LocalOptimizationEnd", "LocalOneChannel", aChannel, mine, "local_message_to_ami in main/core_local.c"},
	{"LocalBridge LocalOptimizationBegin LocalOptimizationEnd", "LocalTwoChannel", aChannel, mine, "local_message_to_ami in main/core_local.c"},
	{"LocalOptimizationBegin", "SourceChannel", aChannel, never, "local_message_to_ami in main/core_local.c"},
	{"Pickup", "Channel", aChannel, mine, "call_pickup_to_ami in main/pickup.c"},
	{"Pickup", "TargetChannel", aChannel, mine, "call_pickup_to_ami in main/pickup.c"},
	{"ChanSpyStart ChanSpyStop", "SpyerChannel", aChannel, never, "channel_chanspy_start_cb in main/manager_channels.c"},
	{"ChanSpyStart ChanSpyStop", "SpyeeChannel", aChannel, never, "channel_chanspy_start_cb in main/manager_channels.c"},
	{"OriginateResponse", "Channel", aCalled, mine, "fast_originate in main/manager.c: what was dialled, where there is no channel"},
	{"OriginateResponse", "Context", aContext, never, "fast_originate in main/manager.c"},
	{"Cdr", "Channel", aChannel, own, "manager_log in cdr/cdr_manager.c"},
	{"Cdr", "DestinationChannel", aChannel, own, "manager_log in cdr/cdr_manager.c"},
	{"Cdr", "DestinationContext", aContext, never, "manager_log in cdr/cdr_manager.c"},

	{"BridgeCreate BridgeDestroy BridgeVideoSourceUpdate", "BridgeUniqueid", aBridge, mine, "main/manager_bridges.c"},
	{"BridgeMerge", "ToBridgeUniqueid", aBridge, mine, "bridge_merge_cb in main/manager_bridges.c"},
	{"BridgeMerge", "FromBridgeUniqueid", aBridge, mine, "bridge_merge_cb in main/manager_bridges.c"},
	{"BridgeEnter BridgeLeave", "Channel", aChannel, mine, "channel_enter_cb, channel_leave_cb in main/manager_bridges.c"},
	{"BridgeEnter BridgeLeave", "BridgeUniqueid", aCall, mine, "channel_enter_cb, channel_leave_cb in main/manager_bridges.c"},
	{"BlindTransfer", "TransfererChannel", aChannel, mine, "blind_transfer_to_ami in main/stasis_bridges.c"},
	{"BlindTransfer", "TransfereeChannel", aChannel, mine, "blind_transfer_to_ami in main/stasis_bridges.c"},
	{"BlindTransfer", "Context", aContext, never, "blind_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "OrigTransfererChannel", aChannel, mine, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "SecondTransfererChannel", aChannel, mine, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "TransfereeChannel", aChannel, mine, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "TransferTargetChannel", aChannel, mine, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "DestTransfererChannel", aChannel, never, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "LocalOneChannel", aChannel, never, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"AttendedTransfer", "LocalTwoChannel", aChannel, never, "attended_transfer_to_ami in main/stasis_bridges.c"},
	{"ConfbridgeJoin ConfbridgeLeave ConfbridgeMute ConfbridgeUnmute ConfbridgeTalking", "Channel", aChannel, mine, "apps/confbridge/confbridge_manager.c"},

	{"ParkedCall ParkedCallGiveUp ParkedCallTimeOut ParkedCallSwap UnParkedCall", "ParkeeChannel", aChannel, mine, "manager_build_parked_call_string in res/parking/parking_manager.c"},
	{"ParkedCall ParkedCallGiveUp ParkedCallTimeOut ParkedCallSwap UnParkedCall", "ParkerChannel", aChannel, never, "manager_build_parked_call_string in res/parking/parking_manager.c"},
	{"UnParkedCall", "RetrieverChannel", aChannel, mine, "manager_build_parked_call_string in res/parking/parking_manager.c"},
	{"ParkedCall ParkedCallGiveUp ParkedCallTimeOut ParkedCallSwap UnParkedCall", "ParkerDialString", aDevice, mine, "manager_build_parked_call_string in res/parking/parking_manager.c"},

	{"QueueCallerJoin QueueCallerLeave QueueCallerAbandon", "Queue", aQueue, mine, "queue_channel_to_ami in apps/app_queue.c"},
	{"QueueCallerJoin QueueCallerLeave QueueCallerAbandon", "Channel", aChannel, never, "queue_channel_to_ami in apps/app_queue.c"},
	{"QueueMemberAdded QueueMemberStatus QueueMemberPause QueueMemberPenalty QueueMemberRinginuse QueueMemberRemoved", "Queue", aQueue, never, "queue_member_to_ami in apps/app_queue.c"},
	{"QueueMemberAdded QueueMemberStatus QueueMemberPause QueueMemberPenalty QueueMemberRinginuse QueueMemberRemoved", "Interface", aMember, mine, "queue_member_to_ami in apps/app_queue.c"},
	{"AgentCalled AgentConnect AgentComplete AgentDump AgentRingNoAnswer", "Queue", aQueue, never, "queue_multi_channel_to_ami in apps/app_queue.c"},
	{"AgentCalled AgentConnect AgentComplete AgentDump AgentRingNoAnswer", "Channel", aChannel, never, "queue_multi_channel_to_ami in apps/app_queue.c"},
	{"AgentCalled AgentConnect AgentComplete AgentDump AgentRingNoAnswer", "DestChannel", aChannel, never, "queue_multi_channel_to_ami in apps/app_queue.c"},
	{"AgentCalled AgentConnect AgentComplete AgentDump AgentRingNoAnswer", "Interface", aMember, mine, "queue_multi_channel_to_ami in apps/app_queue.c"},
	{"AgentLogin AgentLogoff", "Channel", aChannel, never, "agent_login_to_ami in main/stasis_channels.c"},
	{"AgentLogin AgentLogoff", "Agent", anAgent, mine, "agent_login_to_ami in main/stasis_channels.c"},

	{"DeviceStateChange", "Device", aDevice, mine, "devstate_to_ami in main/devicestate.c"},
	{"PeerStatus", "Peer", aDevice, mine, "peerstatus_to_ami in main/manager_endpoints.c"},
	{"ExtensionStatus PresenceStatus", "Context", aContext, never, "manager_state_cb in main/manager.c"},
	{"ExtensionStatus PresenceStatus", "Hint", aHint, never, "manager_state_cb in main/manager.c"},

	{"QueueStatistic", "Queue", aQueue, mine, "an event of ampd's"},
	{"AgentStatistic", "Queues", aQueues, never, "an event of ampd's"},
	{"AgentStatistic", "Agent", aMember, mine, "an event of ampd's"},

	// Items of lists that no event is called like.
	{"CoreShowChannel", "Channel", aChannel, mine, "action_coreshowchannels in main/manager.c"},
	{"CoreShowChannelMap", "Channel", aChannel, never, "action_coreshowchannelmap in main/manager.c"},
	{"CoreShowChannelMap", "ConnectedChannel", aChannel, never, "action_coreshowchannelmap in main/manager.c"},
	{"Status", "Channel", aChannel, mine, "generate_status in main/manager.c"},
	{"BridgeListItem", "BridgeUniqueid", aBridge, mine, "manager_bridges_list in main/manager_bridges.c"},
	{"BridgeInfoChannel", "Channel", aChannel, mine, "send_bridge_info_item_cb in main/manager_bridges.c"},
	{"QueueParams QueueSummary", "Queue", aQueue, mine, "manager_queues_status, manager_queues_summary in apps/app_queue.c"},
	{"QueueMember", "Queue", aQueue, never, "manager_queues_status in apps/app_queue.c"},
	{"QueueMember", "Location", aMember, mine, "manager_queues_status in apps/app_queue.c"},
	{"QueueEntry", "Queue", aQueue, mine, "manager_queues_status in apps/app_queue.c"},
	{"QueueEntry", "Channel", aChannel, never, "manager_queues_status in apps/app_queue.c"},
	{"Agents", "Agent", anAgent, mine, "action_agents in apps/app_agent_pool.c"},
	{"Agents", "Channel", aChannel, never, "action_agents in apps/app_agent_pool.c"},
	{"Agents", "TalkingToChan", aChannel, never, "action_agents in apps/app_agent_pool.c"},
	{"ListDialplan", "Context", aContext, never, "manager_show_dialplan_helper in main/pbx.c"},
	{"ListDialplan", "IncludeContext", aContext, never, "manager_show_dialplan_helper in main/pbx.c"},
	{"PeerEntry EndpointList", "ObjectName", aPeer, mine, "channels/chan_iax2.c, channels/chan_sip.c, res/res_pjsip/pjsip_configuration.c"},
	{"ContactList", "Endpoint", aPeer, mine, "res/res_pjsip/pjsip_options.c"},
}

// agentRules are what an agent may run that is neither the session's own nor named in
// full by its profile's allow.
var agentRules = []agentRule{
	{"AgentActivity", false, "shows itself"},
	{"AgentCallbackLogin", true, "logs itself in"},
	{"AgentLogoff", false, "logs itself off"},
	{"Agents", false, "shows itself"},
	{"Atxfer", true, "transfers its call"},
	{"BlindTransfer", true, "transfers its call"},
	{"BridgeInfo", false, "shows its call"},
	{"BridgeList", false, "shows its calls"},
	{"CancelAtxfer", false, "takes its transfer back"},
	{"ChangeMonitor", false, "records its call"},
	{"CoreShowChannels", false, "shows its calls"},
	{"DeviceStateList", false, "shows its devices"},
	{"Getvar", false, "variables of its own channels"},
	{"Hangup", false, "ends its call"},
	{"MixMonitor", false, "records its call"},
	{"MixMonitorMute", false, "records its call"},
	{"Monitor", false, "records its call"},
	{"Originate", true, "calls from its own device"},
	{"Park", true, "parks its call"},
	{"ParkedCalls", false, "shows what it has parked"},
	{"PauseMonitor", false, "records its call"},
	{"PeerInfo", false, "shows its devices"},
	{"PJSIPHangup", false, "ends its call"},
	{"QueueAdd", false, "logs itself in"},
	{"QueuePause", false, "pauses itself"},
	{"QueueRemove", false, "logs itself off"},
	{"QueueStatus", false, "shows its memberships and its queues' callers"},
	{"QueueSummary", false, "shows its queues"},
	{"Redirect", true, "sends its call on"},
	{"ServerVersion", false, "names versions"},
	{"Setvar", false, "variables of its own channels"},
	{"Status", false, "shows its calls"},
	{"StopMixMonitor", false, "records its call"},
	{"StatisticInfo", false, "shows its numbers and its queues'"},
	{"StopMonitor", false, "records its call"},
	{"UnpauseMonitor", false, "records its call"},
}

var setRules = []setRule{
	{"Originate", "CallerID", "who it calls as"},
	{"Originate", "Account", "who pays"},
	{"Originate", "PreDialGoSub", "runs any context"},
	{"Originate", "ChannelId", "the Uniqueid"},
	{"Originate", "OtherChannelId", "the Uniqueid"},
	{"QueueAdd", "MemberName", "who it is"},
	{"ParkedCalls", "ParkingLot", "whether there is one"},
	{"Park", "ParkingSpace", "sets PARKINGEXTEN, a protected variable"},
}
