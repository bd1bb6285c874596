import { millis, sleep } from "@devicescript/core"
import { deleteSetting } from "@devicescript/settings"
import { readBytes, writeBytes } from "../flash"
import { Identity } from "../link/identity"
import { externalAadCommand, externalAadConfig, MoteKeys, openDown } from "../link/seal"
import { Config, config } from "./config"
import { check, maxPlaintextBytes, parse } from "./plaintext"

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

const notAuthentic = "not authentic"
const flashFull = "the flash does not keep it"

/** What the next envelope has to say about the configuration. */
export interface ConfigNote {
    /** Of the configuration in force, on trial or for good; 0: none. */
    version: number
    /** The version that was refused or taken back, 0 where it could not be read, and why; undefined: none. */
    refused: number | undefined
    reason: string | undefined
}

class Command {
    version = 0
    command = ""
}

/** Takes what the clinic has sealed for this mote: configurations and commands. */
export class Downlink {
    private keys: MoteKeys
    /** The highest version of a configuration that was ever authentic, applied or not. */
    private seen = 0
    /** That version, once it is certain that it does not apply. */
    private ended = 0
    private commandSeen = 0
    /** `millis()` at which the trial is over; undefined where there is none. */
    private trialEndMs: number | undefined
    /** The uplink has not been told yet that the router is another. */
    private isMoved = false
    private isBusy = false
    private isNoteDue = true
    private refused: number | undefined
    private reason: string
    /** The refusal that was told last: nobody makes the mote tell it for ever. */
    private told: number | undefined

    constructor(identity: Identity) {
        this.keys = identity.keys
    }

    /** Puts what is in flash in force; to be called once, before anything reads `config`. */
    async load(): Promise<void> {
        const versions = await this.read(versionsKey)
        if (versions && versions.length === versionsBytes) {
            this.seen = versions.getAt(seenAt, "u32")
            this.ended = versions.getAt(endedAt, "u32")
            this.commandSeen = versions.getAt(commandAt, "u32")
        }
        const accepted = await this.stored(configKey)
        apply(accepted)
        const trial = await this.stored(trialKey)
        this.seen = Math.max(this.seen, Math.max(accepted.version, trial.version))
        if (trial.version > accepted.version)
            await this.takeBack(trial.version, "restarted on trial")
        else if (await readBytes(trialKey)) await deleteSetting(trialKey)
    }

    /**
     * Takes a sealed configuration. One that is in force already is taken again.
     * @returns why it is refused, in a line; undefined where it is in force now
     */
    async configure(sealed: Buffer): Promise<string | undefined> {
        if (this.isBusy) return "busy"
        this.isBusy = true
        try {
            return await this.takeConfig(sealed)
        } finally {
            this.isBusy = false
        }
    }

    /**
     * Takes a sealed command.
     * @param name that it has to have: `identify`, `clear`
     * @returns why it is refused, in a line; undefined where it is to be done now
     */
    async command(sealed: Buffer, name: string): Promise<string | undefined> {
        if (this.isBusy) return "busy"
        const plaintext = openDown(this.keys, externalAadCommand, sealed)
        if (!plaintext) return notAuthentic
        const command = new Command()
        const refusal = parse(plaintext, command)
        if (refusal) return refusal
        if (command.command !== name) return "another command"
        if (command.version <= this.commandSeen) return old(this.commandSeen)
        this.isBusy = true
        this.commandSeen = command.version
        const isKept = await this.keepVersions()
        this.isBusy = false
        return isKept ? undefined : flashFull
    }

    /** What the next envelope should say; undefined: nothing. */
    note(): ConfigNote | undefined {
        if (!this.isNoteDue) return undefined
        return { version: config.version, refused: this.refused, reason: this.reason }
    }

    /** What `note` said is in an envelope that is kept until its receipt. */
    noted(): void {
        this.isNoteDue = false
        this.told = this.refused
        this.refused = this.reason = undefined
    }

    /** There was a valid receipt: a trial is over, and the configuration stays. */
    async receipted(): Promise<void> {
        // Before the uplink has moved, it is one of the old router.
        if (this.trialEndMs === undefined || this.isMoved || this.isBusy) return
        this.isBusy = true
        const trial = await readBytes(trialKey)
        if (trial && (await writeBytes(configKey, trial))) {
            this.trialEndMs = undefined
            await deleteSetting(trialKey)
        }
        this.isBusy = false
    }

    /** To be called now and then: takes an unlucky trial back. @returns whether the router is another than before */
    async tick(): Promise<boolean> {
        if (this.isBusy) return false
        if (this.trialEndMs !== undefined && millis() >= this.trialEndMs) {
            this.isBusy = true
            const { router, trial, version } = config
            apply(await this.stored(configKey))
            if (config.router !== router) this.isMoved = true
            this.trialEndMs = undefined
            await this.takeBack(version, `no receipt in ${trial} s`)
            this.isBusy = false
        }
        const isMoved = this.isMoved
        this.isMoved = false
        return isMoved
    }

    private async takeConfig(sealed: Buffer): Promise<string | undefined> {
        const plaintext = openDown(this.keys, externalAadConfig, sealed)
        if (!plaintext) return notAuthentic
        // Both together are too much for one slice.
        await sleep(0)
        const candidate = new Config()
        let refusal = parse(plaintext, candidate)
        const { version } = candidate
        if (version > 0) {
            if (version === config.version) return undefined
            if (version < this.seen) return old(this.seen)
        }
        if (!refusal && plaintext.length > maxPlaintextBytes) refusal = "too long"
        if (!refusal) refusal = check(candidate)
        if (!refusal && version === this.ended) refusal = "taken back before"
        if (version > 0) {
            this.seen = version
            if (refusal) this.ended = version
            if (!(await this.keepVersions())) refusal = flashFull
        }
        if (!refusal) refusal = await this.put(candidate, plaintext)
        if (refusal) this.refuse(version, refusal)
        return refusal
    }

    /** Writes a configuration that is fine to flash, and puts it in force. */
    private async put(candidate: Config, plaintext: Buffer): Promise<string | undefined> {
        const accepted = await this.stored(configKey)
        const isTrial = candidate.router !== accepted.router
        const value = Buffer.concat(this.mark(), plaintext)
        if (!(await writeBytes(isTrial ? trialKey : configKey, value))) return flashFull
        if (!isTrial && this.trialEndMs !== undefined) await deleteSetting(trialKey)
        this.trialEndMs = isTrial ? millis() + candidate.trial * 1000 : undefined
        if (candidate.router !== config.router) this.isMoved = true
        apply(candidate)
        this.isNoteDue = true
        return undefined
    }

    /** The candidate is out of force already; makes that certain. */
    private async takeBack(version: number, reason: string): Promise<void> {
        this.ended = version
        await this.keepVersions()
        await deleteSetting(trialKey)
        this.refuse(version, reason)
    }

    private refuse(version: number, reason: string): void {
        console.log(`configuration ${version} refused: ${reason}`)
        if (version === this.told) return
        this.refused = version
        this.reason = reason
        this.isNoteDue = true
    }

    /** The configuration in a setting; where there is none that may apply, that of a mote that never got one. */
    private async stored(key: string): Promise<Config> {
        const value = await this.read(key)
        const found = new Config()
        if (value && !parse(value.slice(markBytes), found) && !check(found)) return found
        return new Config()
    }

    /** The value of a setting, if it was written under this identity. */
    private async read(key: string): Promise<Buffer | undefined> {
        const value = await readBytes(key)
        if (!value || value.length < markBytes) return undefined
        const mark = this.mark().toString("hex")
        return value.slice(0, markBytes).toString("hex") === mark ? value : undefined
    }

    /** Of kid and secret: whoever knew a former secret has no say under the new one, not by a high version either. */
    private mark(): Buffer {
        return this.keys.derive("flash").slice(0, markBytes)
    }

    private async keepVersions(): Promise<boolean> {
        const versions = Buffer.alloc(versionsBytes)
        versions.blitAt(0, this.mark(), 0, markBytes)
        versions.setAt(seenAt, "u32", this.seen)
        versions.setAt(endedAt, "u32", this.ended)
        versions.setAt(commandAt, "u32", this.commandSeen)
        return await writeBytes(versionsKey, versions)
    }
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

function old(seen: number): string {
    return `version: above ${seen}`
}
