/*
 * A configuration is in force as a whole or not at all, never an older one, and never one that was rolled back; a router
 * on trial becomes permanent only by a receipt of its own, so that no configuration cuts a mote off; a command is
 * executed once. Power cuts may follow every step, also while the mote starts.
 *
 * What the clinic has sealed may arrive at any time, in any order, DELIVERIES times in all, or never. Which version names
 * another router, which one the mote refuses, and whether router 1 works is chosen at the start: all cases are searched.
 */
#ifndef VERSIONS
#define VERSIONS 3
#endif
#ifndef DELIVERIES
#define DELIVERIES 4
#endif
#ifndef CUTS
#define CUTS 2
#endif

/* What the clinic has sealed. Version 0 is what the mote was provisioned with: router 0, which works. */
bit routerOf[VERSIONS + 1], isBad[VERSIONS + 1], works[2];

/* Flash: three settings, each written as a whole. A configuration is two halves here, so that a mixture shows; 0: none. */
typedef Config { byte router, limits }
Config config, trial;
typedef Versions { byte seen, ended, command }
Versions versions;

/* Memory. */
bool on, isCut, isBusy, onTrial, isMoved;
Config inForce;
byte seen, ended, commandSeen;
bit at; /* the router that the mote is connected to */

/* For the claims. */
byte highest, deliveries, cuts;
bool wasRolledBack[VERSIONS + 1], wasExecuted[VERSIONS + 1];

inline set(c, by) { c.router = by.router; c.limits = by.limits }
inline setBoth(c, v) { c.router = v; c.limits = v }
inline clear(c) { atomic { setBoth(c, 0) } }

/* An apply without a wait: the program sees the old configuration or the new one. */
inline apply(c) {
    set(inForce, c);
    assert(inForce.router == inForce.limits);   /* no mixture */
    assert(inForce.router >= highest);          /* none older than one that was permanent */
    assert(!wasRolledBack[inForce.router])      /* none that was rolled back */
}

/* writeBytes(configKey, …): one atomic write, then what must be true of it. */
inline writeConfig(v) {
#ifdef CONFIG_IN_TWO_WRITES
    config.router = v;
    config.limits = v;
#else
    atomic { setBoth(config, v) }
#endif
    atomic {
        assert(config.router >= highest); highest = config.router;
        assert(works[routerOf[config.router]]) /* not cut off for good */
    }
}

inline keepVersions() {
    atomic { versions.seen = seen; versions.ended = ended; versions.command = commandSeen }
}

inline revert(version) {
    atomic { ended = version; wasRolledBack[version] = true }
#ifndef END_NOT_KEPT
    keepVersions();
#endif
    clear(trial)
}

/* src/uplink/uplink.ts, startUplink; src/config/downlink.ts, loadConfig */
active proctype Power() {
    byte v;
    atomic {
        works[0] = 1;
        if :: works[1] = 0 :: works[1] = 1 fi;
        v = 1;
        do
        :: v <= VERSIONS ->
            if :: routerOf[v] = 0 :: routerOf[v] = 1 fi;
            if :: isBad[v] = 0 :: isBad[v] = 1 fi;
            v++
        :: else -> break
        od
    }
    off: atomic { on = false; isBusy = false; onTrial = false; isMoved = false; v = 0 }
    {
        atomic {
            seen = versions.seen; ended = versions.ended; commandSeen = versions.command;
            apply(config);
            if :: trial.router > seen -> seen = trial.router :: else fi;
            if :: config.router > seen -> seen = config.router :: else fi
        }
        if
        :: trial.router > config.router -> v = trial.router; revert(v) /* restarted-on-trial */
        :: trial.router != 0 && trial.router <= config.router -> clear(trial)
        :: trial.router == 0
        fi;
        atomic { at = routerOf[inForce.router]; v = 0; on = true };
        end: false /* until the power fails */
    } unless { atomic { isCut -> isCut = false; goto off } }
}

active proctype PowerCut() {
    end: do
    :: atomic { cuts < CUTS && !isCut -> cuts++; isCut = true; on = false }
    od
}

/* src/config/downlink.ts: configure, takeConfig, put */
active proctype Configure() {
    byte v, start;
    bool isTrial, why;
    end: do
    :: atomic { on && !isBusy && deliveries < DELIVERIES -> deliveries++; select(v : 1 .. VERSIONS);
        if
        :: v == inForce.router -> v = 0; goto end /* in force: accepted again */
#ifndef OLDER_VERSION_ACCEPTED
        :: v != inForce.router && v < seen -> v = 0; goto end /* version-old */
#endif
        :: else
        fi;
        isBusy = true; start = cuts;
        why = isBad[v] || v == ended;
        seen = v; if :: why -> ended = v :: else fi }
        {
            keepVersions();
            if
            :: why
            :: else ->
                isTrial = routerOf[v] != routerOf[config.router];
#ifdef NO_TRIAL
                isTrial = false;
#endif
                if
                :: isTrial -> atomic { setBoth(trial, v) }
                :: else -> writeConfig(v)
                fi;
                if
                :: !isTrial && onTrial -> clear(trial)
                :: else
                fi;
                atomic {
                    onTrial = isTrial;
                    if :: routerOf[v] != routerOf[inForce.router] -> isMoved = true :: else fi;
                    setBoth(inForce, v); apply(inForce)
                }
            fi;
            atomic { isBusy = false; v = 0; start = 0; why = false; isTrial = false }
        } unless { atomic { start != cuts -> v = 0; start = 0; why = false; isTrial = false } }
    od
}

/* src/config/downlink.ts, takeCommand; src/uplink/uplink.ts, takeSealed */
active proctype Command() {
    byte v, start;
    end: do
    :: atomic { on && !isBusy && deliveries < DELIVERIES -> deliveries++; select(v : 1 .. 2);
        if :: v <= commandSeen -> v = 0; goto end :: else fi;
        isBusy = true; start = cuts; commandSeen = v }
        {
#ifdef COMMAND_EXECUTED_FIRST
            atomic { assert(!wasExecuted[v]); wasExecuted[v] = true };
            keepVersions()
#else
            keepVersions();
            atomic { assert(!wasExecuted[v]); wasExecuted[v] = true }
#endif
            ; atomic { isBusy = false; v = 0; start = 0 }
        } unless { atomic { start != cuts -> v = 0; start = 0 } }
    od
}

#ifdef TRIAL_ENDED_BY_OLD_ROUTER
#define isFromTrial true
#else
#define isFromTrial !isMoved /* Until the uplink has moved, a receipt is from the old router. */
#endif

/* src/uplink/uplink.ts: receipted, follow, settle; src/config/downlink.ts: endTrial, followTrial */
active proctype Uplink() {
    byte v, start;
    end: do
    :: atomic { on && !isBusy && onTrial && works[at] && isFromTrial -> /* a valid receipt over this connection */
        isBusy = true; start = cuts; v = trial.router }
        {
            writeConfig(v);
            onTrial = false;
            clear(trial);
            atomic { isBusy = false; v = 0; start = 0 }
        } unless { atomic { start != cuts -> v = 0; start = 0 } }
#ifndef TRIAL_WITHOUT_END
    :: atomic { on && !isBusy && onTrial -> isBusy = true; start = cuts; v = inForce.router; /* the time is over */
        if :: routerOf[config.router] != routerOf[v] -> isMoved = true :: else fi;
        apply(config); onTrial = false }
        {
            revert(v);
            atomic { isBusy = false; v = 0; start = 0 }
        } unless { atomic { start != cuts -> v = 0; start = 0 } }
#endif
    :: atomic { on && !isBusy && isMoved -> isMoved = false; at = routerOf[inForce.router] }
    od
}

#ifdef LIVE
active proctype Rest() { do :: timeout od } /* an end is a cycle, too: weak fairness looks at cycles only */
/* It always finds back to a router that works. */
ltl connected { []<> (on && works[at]) }
#endif
