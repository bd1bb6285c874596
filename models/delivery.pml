/*
 * From a reading to the clinic's store: nothing is dropped without a valid receipt, nothing that has one is lost,
 * nothing is stored twice, and in the end everything arrives.
 *
 * An envelope is a number, its nonce: start * READINGS + seq. Sets of envelopes and sets of readings are bit masks.
 * The line is such a set: what was sent may arrive at any time, any number of times, in any order, or never. That is
 * loss, duplication, reordering and replay at once. Who can forge what is in attackers.maude.
 *
 * With LIVE the line works in the end: a message arrives once, unless one of FAULTS faults is spent on it.
 */
#ifndef READINGS
#define READINGS 2
#endif
#ifndef STARTS
#define STARTS 2
#endif
#ifndef ROUTERS
#define ROUTERS 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif

#define ENVELOPES (STARTS * READINGS) /* 8 at most */
#define NONE 255
#define bit(i) (1 << (i))
#define has(set, i) (((set) & bit(i)) != 0)
#define startOf(e) ((e) / READINGS)
#define ofStart(start) ((bit(READINGS) - 1) << ((start) * READINGS))

/* The line: envelopes and receipts (by the nonce they are for) on their way, and all envelopes so far, for replays. */
byte line, receipts, sent;
byte faults;

/* The mote: flash, then memory. What left its memory, because of a receipt or a power cut, is for the claims only. */
byte boot;
byte queue, current = NONE, seq, measured;
byte content[8];
byte dropped, cut;

/* A router: disk, then memory, then a delivery and its results on one HTTPS connection. */
typedef Router {
    byte outbox, seen;
    byte window, batch, accepted, settled;
    byte post, results
}
Router router[ROUTERS];

/* The clinic's disk: envelopes, and the readings in them. */
byte rows, stored;
bool storedTwice;

#define in(set, i) (has(set, i) -> content[i] : 0)
#define readingsIn(set) \
    (in(set, 0) | in(set, 1) | in(set, 2) | in(set, 3) | in(set, 4) | in(set, 5) | in(set, 6) | in(set, 7))

#ifdef LIVE
#define mayFail faults < FAULTS
#define spendFault faults++
#ifdef SENT_ONCE
#define isTimeout !has(sent, current)
#else
#define isTimeout !has(receipts, current)
#endif
#define arrives(i) has(line, i) -> e = i; line = line & ~bit(i)
#else
#define mayFail true
#define spendFault skip
#define isTimeout true
#define arrives(i) has(line, i) -> e = i
#endif

/* src/uplink/uplink.ts, src/link/queue.ts, src/link/seal.ts */
active proctype Mote() {
    end: do
    :: atomic { measured < READINGS -> queue = queue | bit(measured); measured++ } /* takeReading */
    :: atomic { current == NONE && queue != 0 -> /* sealVitals: the readings leave the queue */
        current = boot * READINGS + seq; seq++;
        content[current] = queue; queue = 0 }
    :: atomic { current != NONE && !has(line, current) && isTimeout -> /* exchange: the same bytes, again and again */
        line = line | bit(current); sent = sent | bit(current) }
    :: atomic { current != NONE && /* accept: openReceipt, with the nonce of what was sent */
#ifdef RECEIPT_WITHOUT_NONCE
        receipts != 0
#else
        has(receipts, current)
#endif
        ->
#ifdef LIVE
        receipts = receipts & ~bit(current);
#endif
        dropped = dropped | content[current]; current = NONE } /* receipted */
    :: atomic { boot < STARTS - 1 -> /* A power cut: memory is lost, and the next start has the next number. */
        cut = cut | queue | (current != NONE -> content[current % 8] : 0);
        queue = 0; current = NONE; seq = 0;
#ifndef BOOT_NOT_COUNTED
        boot++ /* src/link/identity.ts, countBoot; see nonces.pml */
#endif
        }
    od
}

/* router/ingest.ts, router/replay.ts, router/store/sqlite.ts (append) */
active [ROUTERS] proctype Ingest() {
    byte r = _pid - 1, e;
    end: do
    :: atomic { line != 0 && router[r].batch == 0 && router[r].accepted == 0 ->
        if
        :: arrives(0) :: arrives(1) :: arrives(2) :: arrives(3) :: arrives(4) :: arrives(5) :: arrives(6) :: arrives(7)
        fi;
        if /* ReplayWindow.judge */
        :: has(router[r].window, e) -> router[r].accepted = bit(e) /* duplicate: it gets its receipt again */
        :: !has(router[r].window, e) && (router[r].window & ofStart(startOf(e))) == 0 &&
            router[r].window >= bit((startOf(e) + 1) * READINGS) -> skip /* olderBoot: refused */
        :: else -> router[r].batch = bit(e); router[r].window = router[r].window | bit(e)
#ifdef RECEIPT_BEFORE_FSYNC
            ; router[r].accepted = bit(e)
#endif
        fi; e = 0 }
    :: atomic { router[r].batch != 0 -> /* commit: outbox and window in one transaction */
        router[r].outbox = (router[r].outbox | router[r].batch) & ~router[r].settled; router[r].settled = 0;
        router[r].seen = router[r].seen | router[r].batch;
        router[r].accepted = router[r].accepted | router[r].batch; router[r].batch = 0 }
    :: atomic { router[r].batch != 0 && mayFail -> spendFault; /* The disk is full: `busy`, and the window is read again. */
        router[r].batch = 0;
#ifndef WINDOW_KEPT_AFTER_FAILURE
        router[r].window = router[r].seen
#endif
        }
    :: atomic { router[r].accepted != 0 -> /* makeReceipt */
        receipts = receipts | router[r].accepted; router[r].accepted = 0 }
    od
}

/* router/delivery.ts, router/store/sqlite.ts (settle: removed from memory now, written to the log with the next commit) */
active [ROUTERS] proctype Delivery() {
    byte r = _pid - 1 - ROUTERS;
    end: do
    :: atomic { router[r].post == 0 && (router[r].outbox & ~router[r].settled) != 0 ->
        router[r].post = router[r].outbox & ~router[r].settled
#ifdef SETTLED_BEFORE_RESULT
        ; router[r].settled = router[r].settled | router[r].post
#endif
        }
    :: atomic { router[r].results != 0 ->
        router[r].settled = router[r].settled | router[r].results; router[r].results = 0; router[r].post = 0 }
    od
}

/* clinic/http/ingest.ts, clinic/ingest/store.ts, clinic/store/envelopes.ts: one transaction, a unique key */
active [ROUTERS] proctype Clinic() {
    byte r = _pid - 1 - 2 * ROUTERS;
    end: do
    :: atomic { router[r].post != 0 && router[r].results == 0 ->
#ifdef NO_UNIQUE_KEY
        storedTwice = storedTwice | ((rows & router[r].post) != 0);
#endif
        stored = stored | readingsIn(router[r].post & ~rows);
        rows = rows | router[r].post; router[r].results = router[r].post }
    od
}

/* kill -9, power cuts, connections that break: memory goes, disks stay. */
active [ROUTERS] proctype Trouble() {
    byte r = _pid - 1 - 3 * ROUTERS;
    end: do
    :: atomic { (router[r].window != router[r].seen || /* the router */
            (router[r].batch | router[r].accepted | router[r].settled | router[r].post) != 0) && mayFail -> spendFault;
        router[r].batch = 0; router[r].accepted = 0; router[r].settled = 0; router[r].window = router[r].seen;
        router[r].post = 0; router[r].results = 0 }
    :: atomic { router[r].post != 0 && mayFail -> spendFault; /* the clinic, before or after its commit */
        router[r].post = 0; router[r].results = 0 }
#ifdef LIVE
    :: atomic { line != 0 && mayFail -> spendFault; line = 0 }
    :: atomic { receipts != 0 && mayFail -> spendFault; receipts = 0 }
    :: atomic { sent != line && mayFail -> spendFault; line = sent }
#endif
    od
}

/* What a receipt promises: the reading is on a router's disk, or with the clinic. */
#define onDisks (router[0].outbox | router[ROUTERS - 1].outbox)
#define kept (stored | readingsIn(onDisks))
#define all (bit(READINGS) - 1)

#ifdef LIVE
active proctype Rest() { do :: timeout od } /* an end is a cycle, too: weak fairness looks at cycles only */
ltl everythingArrives { <>[] ((stored | cut) == all) }
#else
active proctype Watch() {
    end: atomic { (dropped & ~kept) != 0 || storedTwice -> assert((dropped & ~kept) == 0); assert(!storedTwice) }
}
#endif
