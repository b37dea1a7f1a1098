package rights

import "ampd/codec"

// A ruleSet is all that is known here of what does harm and what does not. Every
// line says where that comes from.
type ruleSet struct {
	classes []classRule
	own     []ownRule

	// Which objects there are for whom: objectrules.go.
	objects []objectRule
	about   []aboutRule
	agents  []agentRule
	set     []setRule
	cuts    []cutRule // cut.go

	admin []refusedRule // for all but admins

	// Without dangerous.
	refused      []refusedRule
	checks       []checkRule
	protected    []nameRule
	read, write  []functionRule
	applications []application
	commands     []commandRule

	items []itemRule

	maskedHeaders []maskRule
	maskedKeys    []maskRule
	maskedEntries []maskRule
}

type (
	// A classRule asks a class on top of what Asterisk asks, of actions that
	// change something.
	classRule struct {
		action pattern
		class  codec.Classes
		source string
	}

	// An ownRule is what Asterisk itself refuses to a user without one of the
	// classes: a word in a header.
	ownRule struct {
		action, header, word string
		fold                 bool // without case
		classes              codec.Classes
		source               string
	}

	refusedRule struct{ action, source string }

	// A checkRule judges each value of a header; check returns what refuses it, ""
	// for nothing.
	checkRule struct {
		action, header string
		check          func(s *Subject, p *codec.Packet, value string) (rule string)
		source         string
	}

	nameRule struct {
		name   pattern
		source string
	}

	// A functionRule allows a function, with that argument alone where there is one.
	functionRule struct {
		name   pattern
		arg    string
		reach  reach
		source string
	}

	application struct {
		name   string
		args   []argument
		source string
	}

	commandRule struct {
		words  []string
		source string
	}

	// An itemRule says which class of events an item of a snapshot asks.
	itemRule struct {
		name   string
		class  codec.Classes
		source string
	}

	// A maskRule names a header of a packet, or a key of a configuration file or of
	// AstDB, where one "*" may stand for anything.
	maskRule struct{ name, source string }
)

// A reach says for whom a function is.
type reach uint8

const (
	narrow   reach = iota // for all: is about the channel
	wide                  // tells of more than the channel: not for limited sessions
	identity              // who the channel is: not for agents
)

// rules is never changed.
var rules = ruleSet{
	classes: []classRule{
		{"QueueReset", codec.Agent, "<none> in ListCommands; sets a queue's statistics to zero"},
		{"QueueReload", codec.Agent, "<none> in ListCommands; reloads queues and members"},
		{"QueueChangePriorityCaller", codec.Agent, "<none> in ListCommands; moves a caller in the queue"},
		{"QueueWithdrawCaller", codec.Agent, "<none> in ListCommands; throws a caller out of the queue"},
		{"BridgeDestroy", codec.System, "<none> in ListCommands; ends any call"},
		{"BridgeKick", codec.System, "<none> in ListCommands; ends any call"},
		{"BridgeTechnology*", codec.System, "<none> in ListCommands; stops a technology for the whole PBX"},
		{"DAHDI*", codec.System, "class 0 in channels/chan_dahdi.c"},
		{"PRI*", codec.System, "class 0 in channels/chan_dahdi.c"},
	},

	own: []ownRule{
		{"Getvar", "Variable", "SHELL", false, codec.System, "function_capable_string_allowed_with_auths in main/manager.c"},
		{"Getvar", "Variable", "EVAL", false, codec.System, "function_capable_string_allowed_with_auths in main/manager.c"},
		{"Status", "Variables", "SHELL", false, codec.System, "function_capable_string_allowed_with_auths in main/manager.c"},
		{"Status", "Variables", "EVAL", false, codec.System, "function_capable_string_allowed_with_auths in main/manager.c"},
		{"Originate", "Application", "agi", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "dbdeltree", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "exec", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "externalivr", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "mixmonitor", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "originate", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "reload", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Application", "system", true, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Data", "CURL", false, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Data", "DB", false, codec.System, "originate_app_permissions in main/manager.c, where ODBC is another word"},
		{"Originate", "Data", "EVAL", false, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Data", "FILE", false, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Data", "REALTIME", false, codec.System, "originate_app_permissions in main/manager.c"},
		{"Originate", "Data", "SHELL", false, codec.System, "originate_app_permissions in main/manager.c"},
	},

	objects: objectRules,
	about:   aboutRules,
	agents:  agentRules,
	set:     setRules,
	cuts:    cutRules,

	admin: []refusedRule{
		{"ProfileDelete", "a command of ampd's"},
		{"ProfileGet", "a command of ampd's: what others may do"},
		{"ProfileList", "a command of ampd's: what others may do"},
		{"ProfileUpdate", "a command of ampd's"},
	},

	refused: []refusedRule{
		{"UpdateConfig", "action_updateconfig in main/manager.c: rewrites any configuration file"},
		{"CreateConfig", "action_createconfig in main/manager.c: creates configuration files"},
		{"DialplanExtensionAdd", "manager_dialplan_extension_add in pbx/pbx_config.c: adds System() to the dialplan"},
		{"DialplanExtensionRemove", "manager_dialplan_extension_remove in pbx/pbx_config.c: breaks the dialplan"},
		{"PRIDebugFileSet", "action_pri_debug_file_set in channels/chan_dahdi.c: writes any file"},
		{"ModuleLoad", "manager_moduleload in main/manager.c: unloads modules, loads others"},
		{"Reload", "action_reload in main/manager.c"},
		{"AGI", "action_add_agi_cmd in res/res_agi.c: EXEC runs any application"},
		{"LoggerRotate", "action_loggerrotate in main/manager.c: rotates logs away under class reporting"},
		{"DataGet", "main/data.c up to Asterisk 15: secrets of SIP peers, PINs of mailboxes, under no class"},
	},

	checks: []checkRule{
		{"Getvar", "Variable", readVariable, "action_getvar in main/manager.c evaluates functions"},
		{"Status", "Variables", readVariables, "generate_status in main/manager.c evaluates functions on every channel"},
		{"Status", "AllVariables", allVariables, "generate_status in main/manager.c shows every variable of every channel"},
		{"Setvar", "Variable", writeVariable, "action_setvar in main/manager.c writes functions"},
		{"Setvar", "Value", literal, "applications evaluate variables, some twice"},
		{"Originate", "Variable", writeVariables, "astman_get_variables in main/manager.c"},
		{"Originate", "Application", runApplication, "action_originate in main/manager.c runs any application"},
		{"Originate", "Data", literal, "Set, ExecIf, WaitForCondition and others evaluate their data"},
		{"Originate", "PreDialGoSub", literal, "its arguments become those of Gosub: ast_pre_call in main/channel.c"},
		{"Originate", "CallerID", callerID, "start_automixmonitor in bridges/bridge_builtin_features.c makes a file's name of it"},
		{"Originate", "Channel", dialString, "start_automixmonitor in bridges/bridge_builtin_features.c makes a file's name of a channel's"},
		{"Originate", "ChannelId", dialString, "setup_mixmonitor in apps/app_queue.c makes a file's name of it"},
		{"Originate", "OtherChannelId", dialString, "setup_mixmonitor in apps/app_queue.c makes a file's name of it"},
		{"Originate", "ChannelId", uniqueid, "__ast_channel_alloc_ap in main/channel.c: what Asterisk gives itself it does not look for"},
		{"Originate", "OtherChannelId", uniqueid, "__ast_channel_alloc_ap in main/channel.c: what Asterisk gives itself it does not look for"},
		{"Originate", "Exten", dialString, "what the dialplan makes a file's name of: MixMonitor(${EXTEN}.wav)"},
		{"Redirect", "Exten", dialString, "what the dialplan makes a file's name of: MixMonitor(${EXTEN}.wav)"},
		{"Redirect", "ExtraExten", dialString, "what the dialplan makes a file's name of: MixMonitor(${EXTEN}.wav)"},
		{"QueueAdd", "Interface", dialString, "dialled: the channel's name becomes a file's in bridges/bridge_builtin_features.c"},
		{"QueueAdd", "Interface", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a semicolon becomes another field"},
		{"QueueAdd", "MemberName", memberName, "pbx_builtin_setvar_multiple in apps/app_queue.c: sets any variable and writes any function of the caller"},
		{"QueueAdd", "MemberName", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a comma becomes a member"},
		{"QueueAdd", "StateInterface", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a comma becomes a member"},
		{"QueueAdd", "Reason", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a bar becomes a member; observed with Asterisk 22"},
		{"QueuePause", "Reason", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a bar becomes a member; observed with Asterisk 22"},
		{"QueueWithdrawCaller", "WithdrawInfo", literal, "manager_request_withdraw_caller_from_queue in apps/app_queue.c: becomes a variable of the caller's, which the dialplan may evaluate"},
		{"BlindTransfer", "Exten", dialString, "dialled as Local/EXTEN@CONTEXT: ast_bridge_transfer_blind in main/bridge.c"},
		{"BlindTransfer", "Context", dialString, "dialled as Local/EXTEN@CONTEXT: ast_bridge_transfer_blind in main/bridge.c"},
		{"AgentCallbackLogin", "Exten", dialString, "a command of ampd's: dialled as Local/EXTEN@CONTEXT"},
		{"AgentCallbackLogin", "Exten", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a semicolon becomes another field"},
		{"AgentCallbackLogin", "Context", dialString, "a command of ampd's: dialled as Local/EXTEN@CONTEXT"},
		{"AgentCallbackLogin", "Context", memberField, "dump_queue_members and reload_queue_members in apps/app_queue.c: what follows a semicolon becomes another field"},
		{"Atxfer", "Exten", dialString, "dialled as Local/EXTEN@CONTEXT: dial_transfer in main/bridge_basic.c"},
		{"Atxfer", "Context", dialString, "dialled as Local/EXTEN@CONTEXT: dial_transfer in main/bridge_basic.c"},
		{"Park", "TimeoutChannel", dialString, "parking_duration_callback in res/parking/parking_bridge_features.c: arguments of Dial"},
		{"Park", "Channel2", dialString, "manager_park in res/parking/parking_manager.c: another name of TimeoutChannel"},
		{"PJSIPNotify", "Variable", sendVariables, "manager_notify in res/res_pjsip_notify.c"},
		{"SIPnotify", "Variable", sendVariables, "manager_sipnotify in channels/chan_sip.c"},
		{"MessageSend", "Variable", sendVariables, "action_messagesend in main/message.c"},
		{"Command", "Command", showCommand, "action_command in main/manager.c: anything the console can do"},
		{"MixMonitor", "File", fileName, "filename_parse in apps/app_mixmonitor.c takes any path; a comma begins the command"},
		{"MixMonitor", "Options", mixOptions, "mixmonitor_exec in apps/app_mixmonitor.c: r() and t() write files"},
		{"MixMonitor", "Command", nothing, "run by a shell at the end of the recording"},
		{"Monitor", "File", fileName, "ast_monitor_stop in res/res_monitor.c puts it in a shell's command"},
		{"Monitor", "Format", plainWord, "ast_monitor_stop in res/res_monitor.c puts it in a shell's command"},
		{"Monitor", "Channel", fileNamedAfterChannel, "start_monitor_action in res/res_monitor.c: without a File the channel's name is the file's"},
		{"ChangeMonitor", "File", fileName, "ast_monitor_change_fname in res/res_monitor.c"},
		{"ConfbridgeStartRecord", "RecordFile", fileName, "set_rec_filename in apps/app_confbridge.c makes arguments of MixMonitor of it"},
		{"ConfbridgeStartRecord", "Conference", fileNamedAfterConference, "set_rec_filename in apps/app_confbridge.c: without a RecordFile the conference's name is in the file's"},
		{"PlayDTMF", "Duration", duration, "manager_play_dtmf in apps/app_senddtmf.c holds the connection so long"},
		{"PlayMF", "Duration", duration, "manager_play_mf in apps/app_senddtmf.c holds the connection so long"},
		{"PJSIPUnregister", "Registration", oneRegistration, "ami_unregister in res/res_pjsip_outbound_registration.c: *all takes down every trunk"},
		{"GetConfig", "Filename", configName, "action_getconfig in main/manager.c, with live_dangerously or before Asterisk 16.30: any file"},
		{"GetConfigJSON", "Filename", configName, "action_getconfigjson in main/manager.c, with live_dangerously or before Asterisk 16.30: any file"},
		{"ListCategories", "Filename", configName, "action_listcategories in main/manager.c: any file"},
		{"GetConfig", "Filter", templatesOnly, "does_category_match in main/config.c compares values, masked ones too"},
		{"GetConfigJSON", "Filter", templatesOnly, "does_category_match in main/config.c compares values, masked ones too"},
		{"ListCategories", "Match", templatesOnly, "does_category_match in main/config.c compares values, masked ones too"},
	},

	protected: []nameRule{
		// A shell.
		{"MONITOR_EXEC", "ast_monitor_stop in res/res_monitor.c; try_calling in apps/app_queue.c"},
		{"MONITOR_EXEC_ARGS", "ast_monitor_stop in res/res_monitor.c"},
		{"MONITOR_OPTIONS", "setup_mixmonitor in apps/app_queue.c: Options of MixMonitor"},
		{"MIXMONITOR_*", "apps/app_mixmonitor.c"},
		{"MONITOR_FILENAME", "try_calling in apps/app_queue.c: a comma begins MixMonitor's command"},
		{"AUTO_MONITOR", "ast_bridge_call in main/features.c starts a recording"},
		{"TOUCH_*", "set_touch_variables in bridges/bridge_builtin_features.c: a comma begins MixMonitor's command"},
		{"MEETME_*", "MEETME_AGI_BACKGROUND, MEETME_RECORDINGFILE in apps/app_meetme.c"},
		{"AGIEXECFULL", "handle_exec in res/res_agi.c evaluates what scripts hand on"},
		{"MVM_*", "MVM_FILENAME in apps/app_minivm.c"},
		// Where a call goes.
		{"TRANSFER_CONTEXT", "get_transfer_context in main/bridge_basic.c"},
		{"TRANSFER_EXTEN", "grab_transfer in main/bridge_basic.c"},
		{"FORWARD_CONTEXT", "do_forward in apps/app_dial.c"},
		{"GOTO_ON_BLINDXFR", "bridge_builtin_blind_transfer in main/bridge_basic.c"},
		{"BLINDTRANSFER", "park_app_exec in res/parking/parking_applications.c"},
		{"ATTENDEDTRANSFER", "park_app_exec in res/parking/parking_applications.c"},
		{"EXITCONTEXT", "dial_exec_full in apps/app_dial.c"},
		{"BRIDGE_FEATURES", "ast_bridge_call in main/features.c: which keys do what"},
		{"DYNAMIC_FEATURES", "ast_get_chan_applicationmap in main/features_config.c: keys that run applications"},
		{"MACRO_*", "macro_exec in apps/app_macro.c; MACRO_RESULT in apps/app_dial.c"},
		{"GOSUB_RESULT", "dial_exec_full in apps/app_dial.c: GOTO"},
		{"GOSUB_RETVAL", "dial_exec_full in apps/app_dial.c: where GOTO goes"},
		{"PARKINGEXTEN", "parking_participant parking in res/parking/parking_bridge.c"},
		{"PARKINGDYN*", "parking_create_dynamic_lot in res/res_parking.c makes extensions"},
		{"QUEUE_MACRO", "macro of a queue's member in apps/app_queue.c"},
		{"QUEUE_GOSUB", "gosub of a queue's member in apps/app_queue.c"},
		{"CONNECTED_LINE_*", "ast_channel_connected_line_sub in main/channel.c runs it"},
		{"REDIRECTING_*", "ast_channel_redirecting_sub in main/channel.c runs it"},
		{"DUNDIDIALARGS", "dundi_exec in pbx/pbx_dundi.c: options of Dial"},
		{"SPY_EXIT_CONTEXT", "common_exec in apps/app_chanspy.c"},
		{"WHILE_*", "_while_exec in apps/app_while.c: where a loop begins"},
		{"END_WHILE_*", "_while_exec in apps/app_while.c: where a loop ends"},
		{"END_IF_*", "apps/app_if.c: where a branch ends"},
		// Who is served first, what is heard, which limits hold.
		{"QUEUE_PRIO", "queue_exec in apps/app_queue.c"},
		{"QUEUE_*_PENALTY", "queue_exec in apps/app_queue.c"},
		{"OUTBOUND_GROUP*", "dial_exec_full in apps/app_dial.c"},
		{"LIMIT_*", "pre_bridge_setup in main/features.c"},
		{"BRIDGE_PLAY_SOUND", "check_bridge_play_sound in main/bridge.c"},
		{"ATTENDED_TRANSFER_COMPLETE_SOUND", "bridge_hangup_attended_transfer and the like in main/bridge.c"},
	},

	read: []functionRule{
		{"CALLERID", "", narrow, "callerid_read in funcs/func_callerid.c"},
		{"CONNECTEDLINE", "", narrow, "connectedline_read in funcs/func_callerid.c"},
		{"CHANNEL", "", narrow, "func_channel_read in funcs/func_channel.c"},
		{"CDR", "", narrow, "cdr_read in funcs/func_cdr.c"},
		{"QUEUE_*", "", wide, "queue_function_* in apps/app_queue.c"},
		{"DEVICE_STATE", "", wide, "devstate_read in funcs/func_devstate.c"},
		{"EXTENSION_STATE", "", wide, "extstate_read in funcs/func_extstate.c"},
		{"PRESENCE_STATE", "", wide, "presence_read in funcs/func_presencestate.c"},
		{"VERSION", "", narrow, "acf_version_exec in funcs/func_version.c"},
	},
	write: []functionRule{
		{"CALLERID", "", identity, "callerid_write in funcs/func_callerid.c"},
		{"CDR", "userfield", narrow, "cdr_write in funcs/func_cdr.c"},
		{"TIMEOUT", "", narrow, "timeout_write in funcs/func_timeout.c"},
	},

	applications: []application{
		{"Echo", nil, "apps/app_echo.c"},
		{"Wait", []argument{{kind: number}}, "pbx_builtin_wait in main/pbx_builtins.c"},
		{"Answer", []argument{{kind: number}, {kind: options, whole: []string{"nocdr", "i"}}}, "pbx_builtin_answer in main/pbx_builtins.c"},
		{
			"Playback",
			[]argument{{kind: sounds}, {kind: options, whole: []string{"skip", "noanswer"}}},
			"playback_exec in apps/app_playback.c; say and mix evaluate rules of say.conf, URIs are fetched",
		},
		{
			"BackGround",
			[]argument{{kind: sounds}, {kind: options, flags: "snp", whole: []string{"skip", "noanswer"}}, {kind: word}},
			"pbx_builtin_background in main/pbx_builtins.c; the fourth is a context, whose extensions digits reach",
		},
		{"MusicOnHold", []argument{{kind: word}, {kind: number}}, "play_moh_exec in res/res_musiconhold.c"},
		{"Milliwatt", []argument{{kind: options, flags: "mo"}}, "milliwatt_exec in apps/app_milliwatt.c"},
		{"SayDigits", []argument{{kind: digits}}, "pbx_builtin_saydigits in main/pbx_builtins.c"},
		{
			"ConfBridge",
			[]argument{{kind: word}, {kind: word}, {kind: word}},
			"confbridge_exec in apps/app_confbridge.c; the fourth is a menu, whose keys run the dialplan; the name becomes a file's",
		},
		{
			"Park",
			[]argument{{kind: word}, {kind: options, flags: "rRs", numbers: "t", words: "m"}},
			"park_app_exec in res/parking/parking_applications.c; c() is where the call comes back to",
		},
		{
			"VoiceMail",
			[]argument{{kind: mailboxes}, {kind: options, flags: "besSuUP", numbers: "g"}},
			"vm_exec in apps/app_voicemail.c; d() is a context, whose extensions digits reach",
		},
		{
			"Queue",
			[]argument{
				{kind: word}, {kind: options, flags: "CcdhHiIkKnrRtTwWxX", words: "m"}, {kind: word}, {kind: sounds}, {kind: number},
			},
			"queue_exec in apps/app_queue.c; b() and B() run subroutines, F() goes on in the dialplan; behind the timeout come AGI, macro and gosub",
		},
	},

	commands: []commandRule{
		{[]string{"agent", "show", "all"}, "agents and their state"},
		{[]string{"agent", "show", "online"}, "agents and their state"},
		{[]string{"bridge", "show", "all"}, "bridges"},
		{[]string{"confbridge", "list"}, "conferences and who is in them"},
		{[]string{"core", "show", "calls"}, "how many"},
		{[]string{"core", "show", "channels"}, "channels"},
		{[]string{"core", "show", "channeltypes"}, "what is loaded"},
		{[]string{"core", "show", "codecs"}, "what is loaded"},
		{[]string{"core", "show", "hints"}, "extensions and their state"},
		{[]string{"core", "show", "sysinfo"}, "load and memory"},
		{[]string{"core", "show", "uptime"}, "since when"},
		{[]string{"core", "show", "version"}, "which Asterisk"},
		{[]string{"devstate", "list"}, "custom device states"},
		{[]string{"iax2", "show", "channels"}, "channels"},
		{[]string{"iax2", "show", "netstats"}, "channels"},
		{[]string{"iax2", "show", "peers"}, "peers and their state; users would show secrets"},
		{[]string{"iax2", "show", "registry"}, "registrations"},
		{[]string{"local", "show", "channels"}, "channels"},
		{[]string{"module", "show"}, "what is loaded"},
		{[]string{"moh", "show", "classes"}, "classes of music"},
		{[]string{"parking", "show"}, "parked calls"},
		{[]string{"pjsip", "show", "aors"}, "addresses"},
		{[]string{"pjsip", "show", "channels"}, "channels"},
		{[]string{"pjsip", "show", "channelstats"}, "channels"},
		{[]string{"pjsip", "show", "contacts"}, "addresses"},
		{[]string{"pjsip", "show", "endpoints"}, "endpoints and their state"},
		{[]string{"pjsip", "show", "registrations"}, "registrations"},
		{[]string{"pjsip", "show", "transports"}, "transports"},
		{[]string{"presencestate", "list"}, "custom presence states"},
		{[]string{"queue", "show"}, "queues, members, callers"},
		{[]string{"sip", "show", "channels"}, "channels"},
		{[]string{"sip", "show", "inuse"}, "calls of peers"},
		{[]string{"sip", "show", "peers"}, "peers and their state; users would show secrets"},
		{[]string{"sip", "show", "registry"}, "registrations"},
	},

	items: []itemRule{
		{"CoreShowChannel", codec.Call, "Newchannel ... Hangup of main/manager_channels.c"},
		{"BridgeListItem", codec.Call, "BridgeCreate ... BridgeDestroy of main/manager_bridges.c"},
		{"QueueParams", codec.Agent, "QueueCallerJoin ... of apps/app_queue.c"},
		{"QueueMember", codec.Agent, "QueueMemberStatus ... of apps/app_queue.c"},
		{"QueueEntry", codec.Agent, "QueueCallerJoin ... of apps/app_queue.c"},
		{"Agents", codec.Agent, "AgentLogin ... of apps/app_agent_pool.c"},
		{"PeerEntry", codec.System, "PeerStatus of main/manager_endpoints.c"},
		{"EndpointList", codec.System, "PeerStatus of main/manager_endpoints.c"},
		{"ContactList", codec.System, "ContactStatus of main/manager_endpoints.c"},
		{"ParkedCall", codec.Call, "ParkedCall ... of res/parking/parking_manager.c"},
	},

	maskedHeaders: []maskRule{
		{"Password", "AuthDetail, AuthList of res/res_pjsip/config_auth.c"},
		{"Md5Cred", "AuthDetail, AuthList of res/res_pjsip/config_auth.c"},
		{"PasswordDigest", "AuthDetail, AuthList of res/res_pjsip/config_auth.c"},
		{"OauthSecret", "AuthDetail, AuthList of res/res_pjsip/config_auth.c"},
		{"RefreshToken", "AuthDetail, AuthList of res/res_pjsip/config_auth.c"},
		{"Secret", "what secrets are called elsewhere"},
		{"RemoteSecret", "what secrets are called elsewhere"},
		{"ExpectedResponse", "ChallengeResponseFailed of main/security_events.c"},
	},
	maskedKeys: []maskRule{
		{"*secret", "manager.conf, sip.conf, iax.conf, users.conf; md5secret, remotesecret, dbsecret, vmsecret, imapsecret, oauth_secret"},
		{"*password", "pjsip.conf, pjsip_wizard.conf (outbound_auth/password), res_odbc.conf, ari.conf; turnpassword of rtp.conf, capture_password of hep.conf"},
		{"*pwd", "userpwd and proxyuserpwd, as curl calls them"},
		{"*passwd", "ssl_keypasswd, as curl calls it"},
		{"md5_cred", "pjsip.conf"},
		{"password_digest*", "pjsip.conf"},
		{"auth", "sip.conf: user:secret@realm"},
		{"register", "sip.conf, iax.conf: user:secret@host"},
		{"mwi", "sip.conf: user:secret@host/mailbox"},
		{"refresh_token", "pjsip.conf, xmpp.conf"},
		{"dbpass", "res_config_mysql.conf, res_pgsql.conf"},
		{"pin", "confbridge.conf"},
		{"conf", "meetme.conf: number,PIN,PIN of the administrator"},
		{"agent", "agents.conf up to Asterisk 11: number,PIN,name"},
		{"pincode", "minivm.conf"},
		{"pass", "res_ldap.conf"},
	},
	maskedEntries: []maskRule{
		{"*secret", "dundi/secret of pbx/pbx_dundi.c; what secrets are called elsewhere"},
		{"*password", "AMPUSER/NUMBER/password of FreePBX; what secrets are called elsewhere"},
		{"*passwd", "what secrets are called elsewhere"},
		{"*pin", "what PINs are called"},
	},
}
