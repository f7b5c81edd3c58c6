/** What a function for an event returns, made by `reject`, `next` and the others. */
interface Verdict<Name extends string> {
  readonly "mailsluice:verdict": Name;
}

/** What a function for an event may return: one of these verdicts, or nothing, which means `next`. */
type Returned<Name extends string> = Verdict<Name> | void | Promise<Verdict<Name> | void>;

interface ReplyOptions {
  /** The reply's code, of the verdict's class. Default: the event's own. */
  code?: number;
  /** The enhanced status code, such as "5.1.1" (RFC 3463). */
  status?: string;
}

interface DeferOptions extends ReplyOptions {
  /** After acceptance: another try after so many seconds. */
  after?: number;
}

interface ReplyParts {
  /** Default: 250. */
  code?: number;
  /** The enhanced status code, such as "2.1.5" (RFC 3463). */
  status?: string;
  text?: string;
}

/** What a recipient resolves to: lives here, is handed on, or stands for one address or for others. */
type Resolution =
  | { local: true }
  | { remote: true }
  | { to: string }
  /** With another sender for what goes to them, such as the owner of a list; null is the null path. */
  | { members: readonly (string | Recipient)[]; sender?: string | null };

/** What became of one recipient that was due. 2xx: delivered, 4xx: to be tried again, 5xx: failed for good. */
interface Outcome extends ReplyParts {
  /** It, or its place in the envelope. */
  recipient: Recipient | number;
}

/** What a command is answered with beside a reply. Each is heard again at inCommand when it is there, as `further`. */
type CommandAnswer =
  /** 334 without a code: a line of at most so many octets, 12,286 at most. */
  | (ReplyParts & { line: number })
  /** 354 without a code: so many octets, 1 MiB at most. */
  | (ReplyParts & { octets: number })
  /** Then the roles are swapped, and what waits to be called for goes out: domains, with an `@` in front also those below. Needs `allow.queue`. */
  | (ReplyParts & { turn: readonly string[] })
  /** As if the client had sent this line, which is AUTH. */
  | { instead: string };

/** What credentials are answered with. */
type Login =
  /** Who the client is, and the sender addresses that he may use, or patterns of them. */
  | { user: string; senders?: readonly string[] }
  /** To a step of a claimed mechanism: send this, and raise inAuth again with the response. */
  | { challenge: Octets };

interface Verdicts {
  /** No objection. */
  next(): Verdict<"next">;
  /** No objection, and no later sink need look. */
  skipRest(): Verdict<"skip-rest">;
  /**
   * Handled here. At inCommand: the reply, with what is wanted beside; at inAuth: the user, or a challenge; at transportOversize: a limit in octets; at transportCategorize: what the recipient
   * resolves to; at transportRoute: the hops to try in turn, or one; at transportDeliver: the outcomes, or one reply for all; at
   * outReply: how the session goes on, one of `nextStates`; at dnsResolve: the records, or one.
   */
  answer(value: string | ReplyParts | CommandAnswer | Login | number | bigint | Resolution | readonly string[] | readonly Outcome[]): Verdict<"answer">;
  /** Permanent refusal. Without a text, the event's own. */
  reject(text?: string, options?: ReplyOptions): Verdict<"reject">;
  reject(options: ReplyOptions): Verdict<"reject">;
  /** Temporary refusal. */
  defer(text?: string, options?: DeferOptions): Verdict<"defer">;
  defer(options: DeferOptions): Verdict<"defer">;
  /** Refuse and close. */
  disconnect(text?: string, options?: ReplyOptions): Verdict<"disconnect">;
  disconnect(options: ReplyOptions): Verdict<"disconnect">;
  /** Accept and drop. */
  discard(): Verdict<"discard">;
  /** Accept and park until an operator releases it. */
  hold(reason?: string): Verdict<"hold">;
}

/** A value that JSON can hold. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Octets: a text stands for its UTF-8. */
type Octets = string | ArrayBuffer | ArrayBufferView;

/** Has members if the event allows the edit, and none if it does not. */
type If<E extends Edit, Name extends Edit, Members> = Name extends E ? Members : {};

interface Properties {
  /** One's own property, or another sink's: "sink:name". */
  property(name: string): Json | undefined;
}

interface PropertyEdit {
  /** Sets a property of one's own; nothing or null removes it. 16 KiB for all of a sink's. */
  setProperty(name: string, value?: Json): void;
}

/** What is known of a TLS connection. */
interface Tls {
  readonly version: "TLSv1.2" | "TLSv1.3";
  /** The cipher suite, as IANA names it. */
  readonly cipher: string | undefined;
  /** The name that the client asked for. */
  readonly serverName: string | undefined;
  /** The certificate that the client has shown. */
  readonly certificate: Certificate | undefined;
}

/** A certificate whose key a client has proved to hold. */
interface Certificate {
  /** The common name of the subject; empty if it has none. */
  readonly subject: string;
  /** The DNS names and e-mail addresses in it. */
  readonly names: readonly string[];
  /** The SHA-256 of the certificate, in lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Whether an authority that is trusted for clients vouches for it. If not, names and subject are mere claims. */
  readonly verified: boolean;
}

/** Where a session or message comes from. */
interface Client {
  /** The client's IP address. */
  readonly ip: string | undefined;
  /** Its name, if it leads back to the address. */
  readonly name: string | undefined;
  /** What it said after HELO, EHLO or LHLO. */
  readonly helo: string | undefined;
  /** The authenticated user. */
  readonly user: string | undefined;
  /** TLS, if it is in use. */
  readonly tls: Tls | undefined;
  /** The listener's address as configured. */
  readonly listener: string | undefined;
  readonly role: "mx" | "submission" | "lmtp" | undefined;
}

interface SessionView extends Properties {
  /** Its id; nothing for a message that came by another door. */
  readonly id: string | undefined;
  readonly client: Client;
  readonly door: "smtp" | "lmtp" | "pickup" | "send" | "sink" | "dsn";
}

interface DelayEdit {
  /** Waits so many milliseconds before the reply, 60,000 at most. */
  delay(milliseconds: number): void;
}

interface LimitEdits {
  /** Limits this session's messages to so many octets. */
  limitMessageSize(octets: number): void;
  /** Limits this session's messages to so many recipients. */
  limitRecipients(count: number): void;
}

interface GreetingEdit {
  /** Greets with this text. */
  setGreeting(text: string): void;
}

interface KeywordEdits {
  /** Announces an EHLO keyword, with its arguments. */
  addKeyword(keyword: string): void;
  /** Leaves an EHLO keyword out. */
  removeKeyword(keyword: string): void;
}

/** The session. */
type Session<E extends Edit = never> = SessionView &
  If<E, "delay", DelayEdit> &
  If<E, "limits", LimitEdits> &
  If<E, "greeting", GreetingEdit> &
  If<E, "keywords", KeywordEdits> &
  If<E, "property", PropertyEdit>;

interface RecipientView extends Properties {
  /** Where it goes: `local@domain`, or `postmaster`. */
  readonly address: string;
  /** Where the client wanted it to go. */
  readonly original: string;
  /** How the directory sees it. */
  readonly standing: "local" | "relay" | "unknown" | "denied";
  /** Its place in the envelope, as outcomes name it; nothing for the one at hand. */
  readonly place: number | undefined;
  /** Whether the binding's rule holds for it. */
  readonly matched: boolean;
  /** A parameter of RCPT that a sink has claimed: what follows `=`, empty without one. */
  parameter(keyword: string): string | undefined;
}

interface RewriteEdit {
  /** Rewrites the forward-path at hand. */
  rewrite(address: string): void;
}

interface VouchEdit {
  /** Accepts the recipient at hand, which a guard would refuse. */
  vouch(): void;
}

interface RemoveEdit {
  /** Takes it from the message, as if it had never been named. */
  remove(): void;
}

interface FateEdits {
  /** Refuses this one for good. */
  reject(text?: string, options?: ReplyOptions): void;
  /** Refuses this one for now. */
  defer(text?: string, options?: ReplyOptions): void;
  /** Accepts and drops the message for this one. */
  discard(): void;
  /** Parks the message for this one. */
  hold(reason?: string): void;
}

/** One recipient: the one at hand, or one of a message's. */
type Recipient<E extends Edit = never> = RecipientView & {
  /** The message, or the transaction so far. */
  readonly message: Message<E>;
} & If<E, "rewrite", RewriteEdit> &
  If<E, "vouch", VouchEdit> &
  If<E, "remove-recipient", RemoveEdit> &
  If<E, "fate", FateEdits> &
  If<E, "property", PropertyEdit>;

interface AttachmentView {
  readonly name: string;
  /** In lower case, such as "text/plain". */
  readonly type: string;
  /** Octets, once decoded. */
  readonly size: number;
  bytes(): Uint8Array;
  /** The octets as a text: UTF-8, ASCII and Western European are known. */
  text(): string;
}

interface AttachmentEdits {
  /** Takes it away. */
  remove(): void;
  /** Other octets, under the same name and type or under others. */
  replace(data: Octets, options?: { name?: string; type?: string }): void;
}

type Attachment<E extends Edit = never> = AttachmentView & If<E, "body", AttachmentEdits>;

interface MessageView<E extends Edit> extends Properties {
  /** The transaction's id, which becomes the message's. */
  readonly id: string;
  /** The reverse-path; null for the null path `<>`. */
  readonly sender: string | null;
  readonly recipients: readonly Recipient<E>[];
  /** The subject, decoded; empty if there is none. */
  readonly subject: string;
  /** Octets: declared until the message is there, then real. */
  readonly size: number | undefined;
  /** The text that a reader would show, decoded; empty if there is none. */
  readonly text: string;
  /** The HTML that a reader would show, decoded; empty if there is none. */
  readonly html: string;
  readonly attachments: readonly Attachment<E>[];
  /** Header, blank line and body, read as UTF-8. For bodies of up to 8 MiB. */
  readonly raw: string;
  readonly client: Client;
  /** The first field of that name, decoded (RFC 2047). */
  header(name: string): string | undefined;
  /** All fields of that name, decoded. */
  headers(name: string): string[];
  /** A parameter of MAIL that a sink has claimed: what follows `=`, empty without one. */
  parameter(keyword: string): string | undefined;
}

interface SenderEdit {
  /** Rewrites the reverse-path; null is the null path. */
  setSender(address: string | null): void;
}

interface AddRecipientEdit {
  /** One more recipient, which may be anywhere. */
  addRecipient(address: string): void;
}

interface RemoveRecipientEdit {
  /** Takes a recipient away. Whether there was one of that address. */
  removeRecipient(address: string | Recipient): boolean;
}

interface SplitEdit {
  /**
   * These recipients, or places in the envelope, become a message of their own, as this call has found it. The script hears of it anew,
   * alone with them; what else this call changes is for those who remain, of whom there must be some.
   */
  split(recipients: readonly (Recipient | number)[]): void;
}

interface PrependEdit {
  /** A field on top of the header. */
  addHeader(name: string, value: string | number, options: { top: true }): void;
}

interface HeaderEdits {
  /** A field below the header, or on top of it. */
  addHeader(name: string, value: string | number, options?: { top?: boolean }): void;
  /** One field of that name, with this value. */
  setHeader(name: string, value: string | number): void;
  /** No field of that name. */
  removeHeader(name: string): void;
}

interface BodyEdits {
  /** Another body, octet for octet. */
  replaceBody(body: Octets): void;
  /** Puts text in front of what a reader would show. Without HTML of its own, it is made from the text. */
  prependText(text: string, html?: string): void;
  /** Puts text behind what a reader would show. */
  appendText(text: string, html?: string): void;
  /** Puts text in the place of what a reader would show. */
  replaceText(text: string, html?: string): void;
  addAttachment(attachment: { name: string; type?: string; data: Octets }): void;
}

/** A message, or the transaction on the way to one. What is kept of it is not available in a later call. */
type Message<E extends Edit = never> = MessageView<E> &
  If<E, "sender", SenderEdit> &
  If<E, "add-recipient", AddRecipientEdit> &
  If<E, "remove-recipient", RemoveRecipientEdit> &
  If<E, "split", SplitEdit> &
  If<E, "prepend", PrependEdit> &
  If<E, "header", HeaderEdits> &
  If<E, "body", BodyEdits> &
  If<E, "property", PropertyEdit>;

/** What has come since a command. */
interface Further {
  /** Which time that is, from 1. */
  readonly step: number;
  /** The line without its end, or the octets. */
  readonly octets: Uint8Array;
  /** The same, as UTF-8. */
  readonly text: string;
}

/** What a client has presented to log in. */
interface Credentials<E extends Edit = never> {
  /** In upper case: "PLAIN". */
  readonly mechanism: string;
  /** Whose credentials they are, as far as the client says so. */
  readonly user: string | undefined;
  /** Whom the client wants to be taken for, if that is somebody else. */
  readonly authzid: string | undefined;
  /** How the client shows it. "proven": the server has checked that already; "step": a mechanism that the script has claimed. */
  readonly proof: "password" | "token" | "proven" | "certificate" | "step";
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** The number of the step; 0 is the command itself. */
  readonly step: number | undefined;
  /** What came with the step; nothing if the command had no initial response. */
  readonly octets: Uint8Array | undefined;
}

/** A command of the client's. */
interface Command<E extends Edit = never> {
  /** In upper case. */
  readonly verb: string;
  /** What follows it. */
  readonly argument: string;
  /** What has come since, because the script has asked for it. */
  readonly further: Further | undefined;
  /** The transaction that is under way, if one is. */
  readonly message: Message<E> | undefined;
}

interface ReplyView {
  readonly code: number;
  /** Such as "2.1.5". */
  readonly status: string | undefined;
  readonly text: string;
  readonly message: Message | undefined;
}

interface ReplyEdit {
  /** Another text; the code stays. */
  setText(text: string): void;
}

/** A reply that is about to be written. */
type Reply<E extends Edit = never> = ReplyView & If<E, "reply-text", ReplyEdit>;

/** A message over the size limit. */
interface Excess<E extends Edit = never> {
  /** Octets, declared or counted so far. */
  readonly size: number;
  /** Whether SIZE said so. */
  readonly declared: boolean;
  readonly message: Message<E> | undefined;
}

/** A leg of the message's way: recipients of one domain, and how a try to deliver to them ended. */
interface Leg<E extends Edit = never> {
  /** The domain of the recipients, as routes name it. */
  readonly domain: string;
  /** The next hop, once there is one: `host:port [address]`, a path, or the name of a sink. */
  readonly host: string | undefined;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** How it ended. */
  readonly reply: { readonly code: number; readonly status: string | undefined; readonly text: string } | undefined;
  /** Whom it is about. */
  readonly recipients: readonly Recipient<E>[];
  /** Not there at outQuit and outDisconnect. */
  readonly message: Message<E>;
}

type NextState = "continue" | "repeat" | "hello" | "reset" | "quit";

interface OutboundView<E extends Edit> extends Leg<E> {
  /** The command: a verb in upper case, or "." for the end of data; nothing before there is a connection, for the greeting, and at outMessage. */
  readonly verb: string | undefined;
  /** At outReply: how the session may go on. */
  readonly nextStates: readonly NextState[];
  /** At outReply: whether the reply may be taken for a refusal, or for another one than it is. */
  readonly mayRefuse: boolean;
}

interface SourceEdit {
  /** Connects from this address of ours. */
  connectFrom(address: string): void;
}

interface HeloEdit {
  /** Says hello by this name. */
  helloAs(name: string): void;
}

interface TlsEdit {
  /** How secure the connection has to be. What can't be had puts mail off. */
  setTlsPolicy(policy: "none" | "opportunistic" | "required" | "verified" | "dane"): void;
}

interface CredentialsEdit {
  /** Authenticates as this user, by this mechanism or the strongest that is offered. */
  authenticate(user: string, secret: string, options?: { mechanism?: string }): void;
}

interface ParameterEdit {
  /** Adds a parameter, "KEYWORD" or "KEYWORD=value". */
  addParameter(text: string): void;
}

interface CommandEdits {
  /** Sends a command before this one. Its reply is heard at outReply. */
  insertCommand(line: string): void;
  /** Sends another command in the place of this one. DATA and BDAT can't be replaced. */
  replaceCommand(line: string): void;
}

/** What our client is about to do at a next hop, or has heard there. */
type Outbound<E extends Edit = never> = OutboundView<E> &
  If<E, "source-address", SourceEdit> &
  If<E, "helo-name", HeloEdit> &
  If<E, "tls-policy", TlsEdit> &
  If<E, "credentials", CredentialsEdit> &
  If<E, "parameter", ParameterEdit> &
  If<E, "command", CommandEdits>;

/** A question of the DNS that a route needs an answer to. */
interface Question<E extends Edit = never> {
  /** The name, without a dot at its end. */
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME" | "MX" | "NS" | "PTR" | "SRV" | "TXT";
}

/** A step in a message's life, as the log of messages has it. */
interface Step<E extends Edit = never> {
  readonly [name: string]: any;
}

interface Table {
  /** The value of the first line whose key matches; empty if it has none. */
  get(key: string): string | undefined;
  has(key: string): boolean;
}

/** Small durable values of the sink's own. Needs `allow.kv`. Seconds to live: `{ ttl }`. */
interface Kv {
  get(key: string): Json | undefined;
  set(key: string, value: Json, options?: { ttl?: number }): void;
  delete(key: string): void;
  /** Adds to a counter, as one step, and returns the sum. */
  increment(key: string, by?: number, options?: { ttl?: number }): number;
  /** As one step: if the value is `expected`, makes it `value`. Nothing means: absent. Returns whether it did. */
  compareAndSet(key: string, expected: Json | undefined, value: Json | undefined, options?: { ttl?: number }): boolean;
}

/** Needs `allow.dns`. */
interface Dns {
  /** The records in their presentation form; an empty list if there are none. */
  lookup(name: string, type?: "A" | "AAAA" | "CNAME" | "MX" | "NS" | "PTR" | "SRV" | "TXT"): Promise<string[]>;
}

/** Needs `allow.metrics`. */
interface Metrics {
  count(name: string, by?: number): void;
  gauge(name: string, value: number): void;
}

/** Needs `allow.queue`. Domains: with an `@` in front also those below. */
interface Queue {
  /** Has everything tried at once that waits for them; how many messages that are. */
  start(domains: string | readonly string[]): Promise<number>;
  /** How many messages wait to be called for. */
  waiting(domains: string | readonly string[]): number;
}

/** What belongs to the sink, and what the server does for it. */
interface Context<E extends Edit = never> {
  /** `[sink.config]` of the manifest. */
  readonly config: any;
  readonly session: Session<E>;
  /** A list of `[sink.tables]`. */
  table(name: string): Table;
  readonly kv: Kv;
  readonly dns: Dns;
  readonly metrics: Metrics;
  readonly queue: Queue;
  /** A new message: header, blank line and body. It enters if the transaction is accepted. Needs `allow.submit`. */
  submit(message: { sender?: string | null; recipients: readonly string[]; content: Octets }): void;
}

/** A verb of the script's own. To those for whom its conditions do not hold it does not exist. */
interface Verb {
  name: string;
  /** The EHLO keyword that announces it, with its arguments. */
  keyword?: string;
  /** Only under TLS. */
  tls?: boolean;
  /** Only to users who have authenticated and match one of these; `*` is any run of characters. */
  users?: readonly string[];
  /** Or only to clients of these networks, authenticated or not. */
  clients?: readonly string[];
  /** Announced also to those for whom the conditions do not hold yet, who are told what is missing. */
  early?: boolean;
  /** What those are told who are known and not meant, if it is announced early. */
  refusal?: ReplyParts;
}

/** `export const claims`: what the sink adds to the protocol. */
interface Claims {
  /** Verbs, raised as `in.command`; a name alone is there for everybody. */
  verbs?: (string | Verb)[];
  /** Parameters of MAIL. */
  mailParams?: string[];
  /** Parameters of RCPT. */
  rcptParams?: string[];
  /** SASL mechanisms, each step of which is raised as `in.auth`. */
  authMechanisms?: string[];
  /** EHLO keywords, with their arguments. */
  keywords?: string[];
}

/** `export function selfTest`: what throws or returns false is not put in force. */
type SelfTest = (ctx: Context) => boolean | void | Promise<boolean | void>;

interface Response {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Iterable<[string, string]> & { get(name: string): string | null; has(name: string): boolean };
  text(): Promise<string>;
  json(): Promise<any>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface Request {
  /** Default: GET, or POST if there is a body. */
  method?: string;
  headers?: { readonly [name: string]: string | number };
  /** A message is streamed by the server. */
  body?: Octets | MessageView<any> | null;
  /** In milliseconds. */
  timeout?: number;
}
