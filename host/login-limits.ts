import { elapsedMs, type Clock } from "./clock.ts"
import { networkOf } from "./network-of.ts"

const minute = 60_000
/** Wrong passwords for one account from one address. */
const perPair = { failures: 5, windowMs: minute }
/** For one account from all addresses from which nobody has signed in to it, and from one such address for all accounts. */
const perAccount = { failures: 20, windowMs: 15 * minute }
const perAddress = { failures: 60, windowMs: minute }
/** What is remembered of each kind. */
const maxEntries = 20_000
/** Passwords that are being checked: each takes 19 MiB and a core. */
const maxChecks = 4
const maxWaitingPerAddress = 16
const maxWaiting = 256

/**
 * Who guesses is slowed down, nobody else: a wrong guesser ends up in the limit of one account from one address. Where somebody has
 * signed in from an address before, the guesses of others, on this account or from this address, do not count.
 */
export class LoginLimits {
    private readonly clock: Clock
    private readonly tooOften: () => Error
    private readonly pairs: Failures
    private readonly accounts: Failures
    private readonly addresses: Failures
    private readonly known = new Set<string>()
    private checks = 0
    private readonly waiting: { address: string; go: () => void }[] = []

    /** @param tooOften makes the error that a guesser gets */
    constructor(clock: Clock, tooOften: () => Error) {
        this.clock = clock
        this.tooOften = tooOften
        this.pairs = new Failures(perPair)
        this.accounts = new Failures(perAccount)
        this.addresses = new Failures(perAddress)
    }

    /** Checks a password when it is its turn; `check` says whether it was right. Throws `tooOften()` where there were too many. */
    async guard<T>(user: string, address: string, check: () => Promise<T | undefined>): Promise<T | undefined> {
        const place = networkOf(address)
        const pair = JSON.stringify([user, place])
        const isKnown = this.known.has(pair)
        const now = elapsedMs(this.clock)
        const isOver =
            this.pairs.isOver(pair, now) ||
            (!isKnown && (this.accounts.isOver(user, now) || this.addresses.isOver(place, now)))
        if (isOver) throw this.tooOften()
        await this.turn(place)
        try {
            // Counted before, so that guesses at the same time count, too.
            this.pairs.count(pair, now)
            if (!isKnown) {
                this.accounts.count(user, now)
                this.addresses.count(place, now)
            }
            const result = await check()
            if (result === undefined) return undefined
            this.pairs.forget(pair)
            if (!isKnown) {
                this.accounts.forgive(user)
                this.addresses.forgive(place)
            }
            remember(this.known, pair)
            return result
        } finally {
            this.checks--
            this.waiting.shift()?.go()
        }
    }

    private async turn(address: string): Promise<void> {
        if (this.checks >= maxChecks) {
            const ofAddress = this.waiting.filter(one => one.address === address).length
            if (ofAddress >= maxWaitingPerAddress || this.waiting.length >= maxWaiting) throw this.tooOften()
            await new Promise<void>(go => this.waiting.push({ address, go }))
        }
        this.checks++
    }
}

/** Failures of each name within a window of time, which begins with the first. */
class Failures {
    private readonly limit: { failures: number; windowMs: number }
    private readonly counts = new Map<string, { count: number; since: number }>()

    constructor(limit: { failures: number; windowMs: number }) {
        this.limit = limit
    }

    isOver(name: string, now: number): boolean {
        const found = this.counts.get(name)
        return found !== undefined && now - found.since < this.limit.windowMs && found.count >= this.limit.failures
    }

    count(name: string, now: number): void {
        const found = this.counts.get(name)
        if (found && now - found.since < this.limit.windowMs) found.count++
        else {
            this.counts.delete(name)
            this.counts.set(name, { count: 1, since: now })
            if (this.counts.size > maxEntries) this.counts.delete(this.counts.keys().next().value!)
        }
    }

    forget(name: string): void {
        this.counts.delete(name)
    }

    forgive(name: string): void {
        const found = this.counts.get(name)
        if (found && --found.count <= 0) this.counts.delete(name)
    }
}

function remember(set: Set<string>, name: string): void {
    set.delete(name)
    set.add(name)
    if (set.size > maxEntries) set.delete(set.values().next().value!)
}
