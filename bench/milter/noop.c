/* A milter that says SMFIS_CONTINUE at MAIL, RCPT and the end of the message: what the sandbox's no-op sinks are measured beside.
 * Build: cc -O2 -o noop noop.c -lmilter -lpthread. Run: noop unix:/path/of/socket */
#include <libmilter/mfapi.h>
#include <stdio.h>

static sfsistat on_mail(SMFICTX *context, char **arguments) { (void)context; (void)arguments; return SMFIS_CONTINUE; }
static sfsistat on_rcpt(SMFICTX *context, char **arguments) { (void)context; (void)arguments; return SMFIS_CONTINUE; }
static sfsistat on_end(SMFICTX *context) { (void)context; return SMFIS_CONTINUE; }

int main(int count, char **arguments) {
    struct smfiDesc filter = {
        .xxfi_name = "noop", .xxfi_version = SMFI_VERSION,
        .xxfi_envfrom = on_mail, .xxfi_envrcpt = on_rcpt, .xxfi_eom = on_end,
    };
    if (count != 2 || smfi_setconn(arguments[1]) == MI_FAILURE || smfi_register(filter) == MI_FAILURE) {
        fprintf(stderr, "usage: noop unix:/path/of/socket\n");
        return 2;
    }
    return smfi_main();
}
