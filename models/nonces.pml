/*
 * A nonce is never used for two envelopes: over restarts, power cuts at any step and writes that the flash forgets; and,
 * thanks to the salt, even when the flash is ever reset to an earlier state.
 *
 * A nonce is (boot, salt, seq). Without FLASH_RESETS the claim has to hold without the salt: there is none here, so the
 * boot counter alone does it. With FLASH_RESETS each start draws a salt of its own: five random bytes are equal in two
 * starts with the same number once in 2^40, which is modelled as never.
 */
#ifndef STARTS
#define STARTS 5
#endif
#ifndef SEALS
#define SEALS 2 /* envelopes of a start, at most */
#endif

#ifdef FLASH_RESETS
#ifdef NO_SALT
#define SALTS 1
#else
#define SALTS STARTS
#endif
#else
#define SALTS 1
#endif

#ifdef FLASH_RESETS
#define isWrong usedTwice
#else
#define isWrong (usedTwice || countedTwice)
#endif

byte flash;       /* setting `boot` */
byte starts;
bool used[(STARTS + 1) * SALTS * SEALS];
bool usedTwice;
/* Starts without a reset of the flash do not even share a number: a router refuses the second of two that do. */
bool counted[STARTS + 1];
bool countedTwice;

inline sealOne() { /* src/link/seal.ts, seal */
    atomic {
        usedTwice = usedTwice | used[(boot * SALTS + salt) * SEALS + seq];
        used[(boot * SALTS + salt) * SEALS + seq] = true;
        seq++
    }
}

/* src/uplink/uplink.ts, startUplink: it counts the start before anything can be sealed. */
active proctype Mote() {
    byte boot, salt, seq;
    bool isKept;
    off: atomic {
        boot = 0; salt = 0; seq = 0; isKept = false;
        if
        :: starts < STARTS -> starts++
        :: else -> goto done
        fi;
#ifdef FLASH_RESETS
        if /* Somebody puts an earlier image into the flash. */
        :: flash > 0 -> select(flash : 0 .. STARTS); if :: flash < starts :: else -> goto done fi
        :: true
        fi
#endif
    }
    /* src/link/identity.ts, countBoot: reads, writes, reads back. The power may fail after each step. */
    boot = flash + 1;
    if :: true :: goto off fi;
#ifdef SEALS_BEFORE_COUNTING
    sealOne();
    if :: true :: goto off fi;
#endif
    write:
    if
    :: flash = boot
    :: skip /* The flash has not stored it. */
    fi;
    if :: true :: goto off fi;
#ifndef NOT_READ_BACK
    if
    :: flash == boot
    :: else -> goto write /* Nothing is sent; it tries again every minute. */
    fi;
#endif
    atomic {
        countedTwice = countedTwice | counted[boot]; counted[boot] = true;
        salt = (starts - 1) % SALTS /* src/link/seal.ts, startSealing */
    }
    do
    :: seq < SEALS -> sealOne()
    :: goto off
    od;
    done: skip
}

active proctype Watch() {
    end: atomic {
        isWrong -> assert(!usedTwice); assert(!countedTwice)
    }
}
