//@ in.connect
// `in.connect`
bool exports_in_connect_handle(
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.helo
// `in.helo`
bool exports_in_helo_handle(
    mail_command_t *command,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)command; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.tls
// `in.tls`
bool exports_in_tls_handle(
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.auth
// `in.auth`
bool exports_in_auth_handle(
    mail_credentials_t *credentials,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)credentials; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.mail
// `in.mail`
bool exports_in_mail_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.rcpt
// `in.rcpt`
bool exports_in_rcpt_handle(
    mail_borrow_recipient_t recipient,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)recipient; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.data
// `in.data`
bool exports_in_data_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.headers
// `in.headers`
bool exports_in_headers_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.message
// `in.message`
bool exports_in_message_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.command
// `in.command`
bool exports_in_command_handle(
    mail_command_t *command,
    mail_borrow_message_t *maybe_message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)command; (void)maybe_message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.reply
// `in.reply`
bool exports_in_reply_handle(
    mail_borrow_outgoing_t reply,
    mail_borrow_message_t *maybe_message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)reply; (void)maybe_message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ in.disconnect
// `in.disconnect`
bool exports_in_disconnect_handle(
    mail_borrow_session_t session,
    sink_string_t *fault
) {
    (void)session; (void)fault;
    return true;
}

//@ transport.oversize
// `transport.oversize`
bool exports_transport_oversize_handle(
    mail_excess_t *excess,
    mail_borrow_message_t *maybe_message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)excess; (void)maybe_message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.submit
// `transport.submit`
bool exports_transport_submit_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.pre-categorize
// `transport.pre-categorize`
bool exports_transport_pre_categorize_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.categorize
// `transport.categorize`
bool exports_transport_categorize_handle(
    mail_borrow_recipient_t recipient,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)recipient; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.post-categorize
// `transport.post-categorize`
bool exports_transport_post_categorize_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.route
// `transport.route`
bool exports_transport_route_handle(
    mail_leg_t *leg,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)leg; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.deliver
// `transport.deliver`
bool exports_transport_deliver_handle(
    mail_leg_t *leg,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)leg; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.delivered
// `transport.delivered`
bool exports_transport_delivered_handle(
    mail_leg_t *leg,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    sink_string_t *fault
) {
    (void)leg; (void)message; (void)session; (void)fault;
    return true;
}

//@ transport.deferred
// `transport.deferred`
bool exports_transport_deferred_handle(
    mail_leg_t *leg,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)leg; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.failed
// `transport.failed`
bool exports_transport_failed_handle(
    mail_leg_t *leg,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)leg; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ transport.dsn
// `transport.dsn`
bool exports_transport_dsn_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.connect
// `out.connect`
bool exports_out_connect_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.helo
// `out.helo`
bool exports_out_helo_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.message
// `out.message`
bool exports_out_message_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.mail
// `out.mail`
bool exports_out_mail_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.rcpt
// `out.rcpt`
bool exports_out_rcpt_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.data
// `out.data`
bool exports_out_data_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.reply
// `out.reply`
bool exports_out_reply_handle(
    mail_borrow_outbound_t outbound,
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)outbound; (void)message; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.quit
// `out.quit`
bool exports_out_quit_handle(
    mail_leg_t *leg,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)leg; (void)session; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ out.disconnect
// `out.disconnect`
bool exports_out_disconnect_handle(
    mail_leg_t *leg,
    mail_borrow_session_t session,
    sink_string_t *fault
) {
    (void)leg; (void)session; (void)fault;
    return true;
}

//@ dns.resolve
// `dns.resolve`
bool exports_dns_resolve_handle(
    mail_question_t *question,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)question; (void)fault;
    verdict->tag = MAIL_VERDICT_NEXT;
    return true;
}

//@ track
// `track`
bool exports_track_handle(
    sink_string_t *step_json,
    sink_string_t *fault
) {
    (void)step_json; (void)fault;
    return true;
}

//@ server.start
// `server.start`
bool exports_server_start_handle(
    sink_string_t *fault
) {
    (void)fault;
    return true;
}

//@ server.reload
// `server.reload`
bool exports_server_reload_handle(
    sink_string_t *fault
) {
    (void)fault;
    return true;
}

//@ server.shutdown
// `server.shutdown`
bool exports_server_shutdown_handle(
    sink_string_t *fault
) {
    (void)fault;
    return true;
}
