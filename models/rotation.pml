/*
 * A mote gets another secret, with the same board or with an empty one. It is never locked out, whatever it has a receipt
 * for is accepted by the clinic, and in the end it works by the newest configuration.
 *
 * Envelopes arrive at the clinic in any order, as they do over several routers and since alarms go first. The time for
 * which an old secret is still accepted (24 h) is not in the model. Secrets are numbers, their generations.
 */
#ifndef ROTATIONS
#define ROTATIONS 1
#endif
#ifndef ENVELOPES
#define ENVELOPES 8
#endif
#define NONE 255
#define has(set, i) (((set) & (1 << (i))) != 0)
#define bit(i) (1 << (i))

/* Clinic: secrets, the newest report of the mote, and whether the newest configuration, 1, still waits for one. */
byte current = 0, next = NONE, previous = NONE, rotations;
bool isForgotten; /* nobody puts the new secret into the mote */
byte reportBoot, reportSeq; /* boot 0: none yet */
bool isPending = true;

/* Router: generations whose keys it has, and the outbox. */
byte keys = 1;

/* Mote: flash (secret, boot, configuration in force), memory. */
byte secret, boot = 1, inForce;
byte seq;
bool isNoteDue = true; /* it reports the configuration in its next envelope */

#ifdef STATEMENT_OF_OLD_SECRET
#define statementCounts true
#else
#define statementCounts envelope[e].secret == current
#endif
#ifdef ROTATED_AGAIN
#define mayRotate true /* the secret given out before is worth nothing any more */
#else
#define mayRotate next == NONE
#endif
#define arrives(i) (i) < sealed && !envelope[i].isDelivered -> e = i

/* What the router has receipted. */
typedef Envelope { byte secret, boot, seq, version; bool isDelivered }
Envelope envelope[ENVELOPES];
byte sealed;

/* clinic/motes/motes.ts: rotate; clinic/http/motes.ts */
active proctype Nurse() {
    if :: isForgotten = false :: isForgotten = true fi;
    end: do
    :: atomic { rotations < ROTATIONS && mayRotate -> rotations++; next = rotations
#ifdef OLD_SECRET_ENDS_AT_ROTATION
        ; previous = current; current = next; next = NONE
#endif
        }
    :: atomic { secret != rotations && !isForgotten -> /* The newest secret goes into the mote, or into an empty board: a restart. */
        secret = rotations; seq = 0; isNoteDue = true;
        inForce = 0; /* src/config/downlink.ts, mark: another secret's configuration does not count */
        if :: boot++ :: boot = 1 fi }
    od
}

/* src/uplink/uplink.ts; router/ingest.ts: check */
active proctype Mote() {
    end: do
    :: atomic { isNoteDue && sealed < ENVELOPES && has(keys, secret) -> /* else 4.01: it tries again */
        envelope[sealed].secret = secret; envelope[sealed].boot = boot; envelope[sealed].seq = seq;
        envelope[sealed].version = inForce;
        sealed++; seq++; isNoteDue = false }
    :: atomic { isPending && inForce == 0 && has(keys, secret) -> inForce = 1; isNoteDue = true } /* configure */
    od
}

/* router/keyring.ts: refresh; clinic/motes/grants.ts: keys. Every 10 s, or much later. */
#define given (bit(current) | (next != NONE -> bit(next) : 0))
active proctype Keyring() {
    end: do
    :: atomic { keys != given -> keys = given }
    od
}

/* clinic/ingest/: open, store; clinic/motes/configurations.ts: takeNextSecret, applyStatement */
active proctype Clinic() {
    byte e;
    end: do
    :: atomic {
        if
        :: arrives(0) :: arrives(1) :: arrives(2) :: arrives(3) :: arrives(4) :: arrives(5) :: arrives(6) :: arrives(7)
        fi;
        envelope[e].isDelivered = true;
        if
        :: envelope[e].secret == current
        :: envelope[e].secret == next ->
#ifndef PREVIOUS_SECRET_FORGOTTEN
            previous = current;
#endif
            current = next; next = NONE;
            reportBoot = 0; reportSeq = 0
        :: envelope[e].secret == previous
        :: else -> assert(false) /* wrong-mac: a receipted envelope is lost */
        fi;
        if
        :: (statementCounts) && (envelope[e].boot > reportBoot ||
            envelope[e].boot == reportBoot && envelope[e].seq > reportSeq) ->
            reportBoot = envelope[e].boot; reportSeq = envelope[e].seq;
            isPending = envelope[e].version == 0
        :: else
        fi; e = 0 }
    od
}

/* When nothing is left to do, the mote has been heard and works by the newest configuration. */
active proctype Watch() {
    timeout -> assert(sealed < ENVELOPES); assert(!isNoteDue); assert(inForce == 1)
}
