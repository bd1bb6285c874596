import { millis } from "@devicescript/core"
import { deleteBytes, readBytes, writeBytes } from "../platform/flash"
import { MoteKeys, openDown } from "../link/seal"
import { Config, config } from "./config"
import { codeOf, makeRefusal, RefusalCode } from "../link/refusal"
import { ConfigNote } from "../link/pack"
import { Purpose } from "../link/transport"
import { check, maxPlaintextBytes, parse } from "./plaintext"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * Settings in flash, each after a mark of this identity, so that nothing from another identity is used: `config`, the
 * plaintext that was accepted; `trial`, a plaintext that has yet to prove that it does not cut the mote off;
 * `versions`, which never decrease. Every change is one atomic write; `loadConfig` handles what a power cut leaves.
 */
const configKey = "config"
const trialKey = "trial"
const versionsKey = "versions"
const markBytes = 8
/** Offsets in `versions`, u32 each. */
const seenAt = markBytes
const endedAt = markBytes + 4
const commandAt = markBytes + 8
const versionsBytes = markBytes + 12

class Command {
    version = 0
    command = ""
}

let keys: MoteKeys
/** The highest version of any authentic configuration, applied or not. */
let seen = 0
/** The same version, once it is certain that it does not apply. */
let ended = 0
let commandSeen = 0
/** `millis()` at which the trial ends. Undefined without a trial. */
let trialEndMs: number | undefined
/** The uplink has not been notified yet that the router has changed. */
let isMoved = false
let isBusy = false
let isNoteDue = true
let refused: number | undefined
let refusal: Buffer | undefined
/** The refusal reported last, so that a replayed configuration is not reported again and again. */
let reportedRefusal: number | undefined

/* Receives what the clinic has sealed for this mote: configurations and commands. */

/** Applies the configuration in flash; must be called once, before anything else here. */
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
    if (trial.version > accepted.version) await revert(trial.version, makeRefusal(RefusalCode.restartedOnTrial))
    else if (await readBytes(trialKey)) await deleteBytes(trialKey)
}

/**
 * Applies a sealed configuration. One that is already in force is accepted again.
 * @returns the refusal; undefined if it is now in force
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
 * Checks a sealed command.
 * @param name that it must have: `identify`, `clear`
 * @returns the refusal; undefined if the command is to be executed now
 */
export async function takeCommand(sealed: Buffer, name: string): Promise<Buffer | undefined> {
    if (isBusy) return makeRefusal(RefusalCode.busy)
    const plaintext = openDown(keys, Purpose.command, sealed)
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

/** The note for the next envelope. Undefined if there is nothing to report. */
export function configNote(): ConfigNote | undefined {
    if (!isNoteDue) return undefined
    return { version: config.version, refused, refusal }
}

/** Called when the note is in an envelope that is kept until its receipt. */
export function configNoted(): void {
    isNoteDue = false
    reportedRefusal = refused
    refused = refusal = undefined
}

/** Called on a valid receipt: ends the trial, and the configuration stays. */
export async function endTrial(): Promise<void> {
    // Until the uplink has moved, the receipt is from the old router.
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

/** Must be called periodically: reverts a failed trial. @returns whether the router has changed */
export async function followTrial(): Promise<boolean> {
    if (isBusy) return false
    if (trialEndMs !== undefined && millis() >= trialEndMs) {
        isBusy = true
        try {
            const { router, trial, version } = config
            apply(await stored(configKey))
            if (config.router !== router) isMoved = true
            trialEndMs = undefined
            await revert(version, makeRefusal(RefusalCode.noReceipt, [trial]))
        } finally {
            isBusy = false
        }
    }
    const hasMoved = isMoved
    isMoved = false
    return hasMoved
}

async function takeConfig(sealed: Buffer): Promise<Buffer | undefined> {
    const plaintext = openDown(keys, Purpose.config, sealed)
    if (!plaintext) return makeRefusal(RefusalCode.notAuthentic)
    // Both together are too much work for one slice.
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

/** Writes a valid configuration to flash and applies it. */
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

/** Makes the end of a trial permanent; the configuration is no longer in force. */
async function revert(version: number, why: Buffer): Promise<void> {
    ended = version
    // Otherwise the trial in flash tells the next start.
    if (await keepVersions()) await deleteBytes(trialKey)
    refuse(version, why)
}

function refuse(version: number, why: Buffer): void {
    console.log(`configuration ${version} refused: code ${codeOf(why)}`)
    if (version === reportedRefusal) return
    refused = version
    refusal = why
    isNoteDue = true
}

/** The configuration in a setting; if there is no valid one, the defaults. */
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

/**
 * A mark of kid and secret, so that the owner of a former secret has no influence under the new one, not even by a high
 * version.
 */
function mark(): Buffer {
    return keys.derive("vitalmote flash").slice(0, markBytes)
}

async function keepVersions(): Promise<boolean> {
    const versions = Buffer.alloc(versionsBytes)
    versions.blitAt(0, mark(), 0, markBytes)
    versions.setAt(seenAt, "u32", seen)
    versions.setAt(endedAt, "u32", ended)
    versions.setAt(commandAt, "u32", commandSeen)
    return await writeBytes(versionsKey, versions)
}

/** The plaintext of the configuration in force, as the clinic created it; empty if there is none. */
export async function plaintextInForce(): Promise<Buffer> {
    if (config.version === 0) return Buffer.alloc(0)
    const value = await readBytes(trialEndMs === undefined ? configKey : trialKey)
    return value ? value.slice(markBytes) : Buffer.alloc(0)
}

function apply(next: Config): void {
    Object.assign(config, next)
}

function old(newest: number): Buffer {
    return makeRefusal(RefusalCode.versionOld, [newest])
}
