/*
 * In the end the clinic shows an alarm exactly when the mote has one, whatever was lost, repeated or reordered, and
 * whenever the mote's power failed. One kind of alarm; the condition behind it changes up to CHANGES times.
 *
 * What was sent may arrive at any time, any number of times, or in any order; in the end everything that the mote still
 * waits for has arrived.
 */
#ifndef CHANGES
#define CHANGES 4
#endif
#ifndef CUTS
#define CUTS 2
#endif
#define IDS 8
#define ENVELOPES 10
#define NONE 255

/* What the readings say. */
bool isBeyond;
byte changes, cuts; /* that are still to come */

/* A slot in memory and in flash (src/alarms/slot.ts); id 0: free. */
typedef Slot { byte id; bool raiseDue, clearDue }
Slot slot, flash;
byte nextId = 1;
bool raiseInFlight, clearInFlight, clearReported, isSaving;

/* The envelopes: the events of one alarm. */
typedef Envelope { byte id; bool raise, clear, isStored }
Envelope envelope[ENVELOPES];
byte current = NONE, sealed;

/* The clinic, by id. */
bool begun[IDS], ended[IDS];
byte newest;

#define isRaised (slot.id != 0 && !slot.clearDue)
#define set(to, from) to.id = from.id; to.raiseDue = from.raiseDue; to.clearDue = from.clearDue

#ifdef SENT_BEFORE_FLASH
#define maySend true
#else
#define maySend !isSaving /* isAlarmPending */
#endif

/* src/alarms/alarms.ts: watch, raise, packAlarms, alarmsReceipted, save; src/uplink/uplink.ts: exchange */
active proctype Mote() {
    end: do
    :: atomic { isBeyond && !isRaised && nextId < IDS -> /* raise */
        if
        :: slot.clearDue && !clearReported -> slot.clearDue = false /* Nobody has heard of the end: it goes on. */
        :: else ->
            slot.clearDue = false; slot.raiseDue = true; slot.id = nextId; nextId++;
            clearReported = false; raiseInFlight = false; clearInFlight = false
        fi; isSaving = true }
    :: atomic { !isBeyond && isRaised -> slot.clearDue = true; isSaving = true }
    :: atomic { isSaving -> set(flash, slot); isSaving = false }
    :: atomic { current == NONE && (slot.raiseDue || slot.clearDue) && maySend && sealed < ENVELOPES -> /* packAlarms */
        envelope[sealed].id = slot.id; envelope[sealed].raise = slot.raiseDue; envelope[sealed].clear = slot.clearDue;
        raiseInFlight = slot.raiseDue; clearInFlight = slot.clearDue;
        clearReported = clearReported || slot.clearDue;
        current = sealed; sealed++ }
    :: atomic { current != NONE && envelope[current % ENVELOPES].isStored -> /* a receipt */
        current = NONE;
        if :: raiseInFlight -> slot.raiseDue = false :: else fi;
        if
        :: clearInFlight -> slot.id = 0; slot.raiseDue = false; slot.clearDue = false; clearReported = false
        :: else
        fi;
        raiseInFlight = false; clearInFlight = false; isSaving = true }
    od
}

/* The readings, and the power: what is not in flash is lost (loadAlarms). */
active proctype World() {
    atomic { select(changes : 0 .. CHANGES); select(cuts : 0 .. CUTS) }
    end: do
    :: atomic { changes > 0 -> changes--; isBeyond = !isBeyond }
    :: atomic { cuts > 0 -> cuts--;
        set(slot, flash);
        raiseInFlight = false; clearInFlight = false; isSaving = false; current = NONE;
#ifdef END_FORGOTTEN
        clearReported = false
#else
        clearReported = slot.clearDue /* It may have been in flight when the power failed. */
#endif
        }
    od
}

/* clinic/alarms/alarms.ts: take, hear. An envelope may also be lost for good, unless the mote waits for its receipt. */
#define arrives(i) (i) < sealed && !envelope[i].isStored -> e = i
active proctype Clinic() {
    byte e;
    end: do
    :: atomic {
        if
        :: arrives(0) :: arrives(1) :: arrives(2) :: arrives(3) :: arrives(4)
        :: arrives(5) :: arrives(6) :: arrives(7) :: arrives(8) :: arrives(9)
        fi;
        envelope[e].isStored = true;
        begun[envelope[e].id] = begun[envelope[e].id] || envelope[e].raise;
        ended[envelope[e].id] = ended[envelope[e].id] || envelope[e].clear;
        if
        :: envelope[e].id > newest -> newest = envelope[e].id /* A newer one of its kind ends those before. */
        :: else
        fi; e = 0 }
    od
}

/* When nothing is left to do: the newest alarm that the clinic knows is open exactly if the mote has one. */
active proctype Watch() {
    timeout -> assert(sealed < ENVELOPES && nextId < IDS); assert(isRaised == isBeyond);
    assert(isRaised == (newest != 0 && begun[newest] && !ended[newest]));
    assert(!isRaised || newest == slot.id)
}
