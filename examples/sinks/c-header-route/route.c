// Sends what one address gets to the department that a header field names.
//
// For each recipient for which the binding's rule holds, the field `X-Department` is looked up in the table `departments`; the
// message then goes there instead. What names no department, or an unknown one, stays where it was.

#include "sink.h"

// The address of the department that the message names.
static bool find_department(mail_borrow_message_t message, sink_string_t *address) {
    sink_string_t header, table, department;
    sink_string_set(&header, "X-Department");
    sink_string_set(&table, "departments");
    if (!mail_method_message_header(message, &header, &department)) return false;
    bool found = tables_lookup(&table, &department, address);
    sink_string_free(&department);
    return found && address->len > 0;
}

static void say(const char *text) {
    sink_string_t line;
    sink_string_set(&line, text);
    log_write(LOG_LEVEL_INFO, &line);
}

// True: `verdict` holds. False: `fault` says why the sink could not do its work.
bool exports_transport_submit_handle(
    mail_borrow_message_t message,
    mail_borrow_session_t session,
    mail_verdict_t *verdict,
    sink_string_t *fault
) {
    (void)session;
    verdict->tag = MAIL_VERDICT_NEXT;
    sink_string_t address;
    if (!find_department(message, &address)) return true;

    mail_list_own_recipient_t recipients;
    mail_method_message_recipients(message, &recipients);
    bool moved = false;
    for (size_t i = 0; i < recipients.len; i++) {
        mail_borrow_recipient_t recipient = mail_borrow_recipient(recipients.ptr[i]);
        if (!mail_method_recipient_matched(recipient)) continue;
        mail_method_recipient_remove(recipient);
        moved = true;
    }
    mail_list_own_recipient_free(&recipients);
    if (!moved) return true;

    say("sent to its department");
    return mail_method_message_add_recipient(message, &address, fault);
}
