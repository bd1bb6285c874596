import { millis } from "@devicescript/core"
import { deleteBytes, readBytes, writeBytes } from "../platform/flash"
import { externalAadCommand, externalAadConfig, MoteKeys, openDown } from "../link/seal"
import { Config, config } from "./config"
import { codeOf, makeRefusal, RefusalCode } from "../link/refusal"
import { ConfigNote } from "../link/senml"
import { check, maxPlaintextBytes, parse } from "./plaintext"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * In flash, each after a mark of this identity, so that nothing is taken over from another: `config`, the plaintext that
 * was accepted; `trial`, one that still has to show that it does not cut the mote off; `versions`, which are never gone
 * back from. Every change is one write that is there wholly or not at all; `load` makes sense of what a power cut leaves.
 */
const configKey = "config"
const trialKey = "trial"
const versionsKey = "versions"
const markBytes = 8
/** In `versions`, u32 each. */
const seenAt = markBytes
const endedAt = markBytes + 4
const commandAt = markBytes + 8
const versionsBytes = markBytes + 12

class Command {
    version = 0
    command = ""
}

let keys: MoteKeys
/** The highest version of a configuration that was ever authentic, applied or not. */
let seen = 0
/** That version, once it is certain that it does not apply. */
let ended = 0
let commandSeen = 0
/** `millis()` at which the trial is over; undefined where there is none. */
let trialEndMs: number | undefined
/** The uplink has not been told yet that the router is another. */
let isMoved = false
let isBusy = false
let isNoteDue = true
let refused: number | undefined
let refusal: Buffer | undefined
/** The refusal that was told last: nobody makes the mote tell it for ever. */
let reportedRefusal: number | undefined

/*
 * Takes what the clinic has sealed for this mote: configurations and commands.
 */

/** Puts what is in flash in force; to be called once, before anything else here. */
export async function loadConfig(identity: MoteKeys): Promise<void> {
    keys = identity
    const versions = await read(versionsKey)
    if (versions && versions.length === versionsBytes) {
        seen = versions.getAt(seenAt, "u32")
        ended = versions.getAt(endedAt, "u32")
        commandSeen = versions.getAt(commandAt, "u32")
    }
    const accepted = await stored(configKey)
    apply(accepted)
    const trial = await stored(trialKey)
    seen = Math.max(seen, Math.max(accepted.version, trial.version))
    if (trial.version > accepted.version) await takeBack(trial.version, makeRefusal(RefusalCode.restartedOnTrial))
    else if (await readBytes(trialKey)) await deleteBytes(trialKey)
}

/**
 * Takes a sealed configuration. One that is in force already is taken again.
 * @returns the refusal; undefined where it is in force now
 */
export async function configure(sealed: Buffer): Promise<Buffer | undefined> {
    if (isBusy) return makeRefusal(RefusalCode.busy)
    isBusy = true
    try {
        return await takeConfig(sealed)
    } finally {
        isBusy = false
    }
}

/**
 * Takes a sealed command.
 * @param name that it has to have: `identify`, `clear`
 * @returns the refusal; undefined where it is to be done now
 */
export async function takeCommand(sealed: Buffer, name: string): Promise<Buffer | undefined> {
    if (isBusy) return makeRefusal(RefusalCode.busy)
    const plaintext = openDown(keys, externalAadCommand, sealed)
    if (!plaintext) return makeRefusal(RefusalCode.notAuthentic)
    const wanted = new Command()
    const malformed = parse(plaintext, wanted)
    if (malformed) return malformed
    if (wanted.command !== name) return makeRefusal(RefusalCode.otherCommand)
    if (wanted.version <= commandSeen) return old(commandSeen)
    isBusy = true
    commandSeen = wanted.version
    try {
        return (await keepVersions()) ? undefined : makeRefusal(RefusalCode.flashFull)
    } finally {
        isBusy = false
    }
}

/** What the next envelope should say; undefined: nothing. */
export function configNote(): ConfigNote | undefined {
    if (!isNoteDue) return undefined
    return { version: config.version, refused, refusal }
}

/** What `configNote` said is in an envelope that is kept until its receipt. */
export function configNoted(): void {
    isNoteDue = false
    reportedRefusal = refused
    refused = refusal = undefined
}

/** There was a valid receipt: a trial is over, and the configuration stays. */
export async function endTrial(): Promise<void> {
    // Before the uplink has moved, it is one of the old router.
    if (trialEndMs === undefined || isMoved || isBusy) return
    isBusy = true
    try {
        const trial = await readBytes(trialKey)
        if (trial && (await writeBytes(configKey, trial))) {
            trialEndMs = undefined
            await deleteBytes(trialKey)
        }
    } finally {
        isBusy = false
    }
}

/** To be called now and then: takes an unlucky trial back. @returns whether the router is another than before */
export async function followTrial(): Promise<boolean> {
    if (isBusy) return false
    if (trialEndMs !== undefined && millis() >= trialEndMs) {
        isBusy = true
        try {
            const { router, trial, version } = config
            apply(await stored(configKey))
            if (config.router !== router) isMoved = true
            trialEndMs = undefined
            await takeBack(version, makeRefusal(RefusalCode.noReceipt, [trial]))
        } finally {
            isBusy = false
        }
    }
    const hasMoved = isMoved
    isMoved = false
    return hasMoved
}

async function takeConfig(sealed: Buffer): Promise<Buffer | undefined> {
    const plaintext = openDown(keys, externalAadConfig, sealed)
    if (!plaintext) return makeRefusal(RefusalCode.notAuthentic)
    // Both together are too much for one slice.
    await yieldToMainLoop()
    const candidate = new Config()
    let why = parse(plaintext, candidate)
    const { version } = candidate
    if (version > 0) {
        if (version === config.version) return undefined
        if (version < seen) return old(seen)
    }
    if (!why && plaintext.length > maxPlaintextBytes) why = makeRefusal(RefusalCode.tooLong)
    if (!why) why = check(candidate)
    if (!why && version === ended) why = makeRefusal(RefusalCode.takenBack)
    if (version > 0) {
        seen = version
        if (why) ended = version
        if (!(await keepVersions())) why = makeRefusal(RefusalCode.flashFull)
    }
    if (!why) why = await put(candidate, plaintext)
    if (why) refuse(version, why)
    return why
}

/** Writes a configuration that is fine to flash, and puts it in force. */
async function put(candidate: Config, plaintext: Buffer): Promise<Buffer | undefined> {
    const accepted = await stored(configKey)
    const isTrial = candidate.router !== accepted.router
    const value = Buffer.concat(mark(), plaintext)
    if (!(await writeBytes(isTrial ? trialKey : configKey, value))) return makeRefusal(RefusalCode.flashFull)
    if (!isTrial && trialEndMs !== undefined) await deleteBytes(trialKey)
    trialEndMs = isTrial ? millis() + candidate.trial * 1000 : undefined
    if (candidate.router !== config.router) isMoved = true
    apply(candidate)
    isNoteDue = true
    return undefined
}

/** The candidate is out of force already; makes that certain. */
async function takeBack(version: number, why: Buffer): Promise<void> {
    ended = version
    await keepVersions()
    await deleteBytes(trialKey)
    refuse(version, why)
}

function refuse(version: number, why: Buffer): void {
    console.log(`configuration ${version} refused: code ${codeOf(why)}`)
    if (version === reportedRefusal) return
    refused = version
    refusal = why
    isNoteDue = true
}

/** The configuration in a setting; where there is none that may apply, that of a mote that never got one. */
async function stored(key: string): Promise<Config> {
    const value = await read(key)
    const found = new Config()
    if (value && !parse(value.slice(markBytes), found) && !check(found)) return found
    return new Config()
}

/** The value of a setting, if it was written under this identity. */
async function read(key: string): Promise<Buffer | undefined> {
    const value = await readBytes(key)
    if (!value || value.length < markBytes) return undefined
    return value.slice(0, markBytes).toString("hex") === mark().toString("hex") ? value : undefined
}

/** Of kid and secret: whoever knew a former secret has no say under the new one, not by a high version either. */
function mark(): Buffer {
    return keys.derive("flash").slice(0, markBytes)
}

async function keepVersions(): Promise<boolean> {
    const versions = Buffer.alloc(versionsBytes)
    versions.blitAt(0, mark(), 0, markBytes)
    versions.setAt(seenAt, "u32", seen)
    versions.setAt(endedAt, "u32", ended)
    versions.setAt(commandAt, "u32", commandSeen)
    return await writeBytes(versionsKey, versions)
}

/** The plaintext of the configuration in force, as the clinic made it; empty where there is none. */
export async function plaintextInForce(): Promise<Buffer> {
    if (config.version === 0) return Buffer.alloc(0)
    const value = (await readBytes(trialKey)) || (await readBytes(configKey))
    return value ? value.slice(markBytes) : Buffer.alloc(0)
}

function apply(next: Config): void {
    Object.assign(config, next)
}

function old(newest: number): Buffer {
    return makeRefusal(RefusalCode.versionOld, [newest])
}
