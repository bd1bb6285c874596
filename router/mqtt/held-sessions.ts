import type { Clock, Timer } from "../../host/clock.ts"
import type { SessionState } from "./session-state.ts"

/** The longest time for which a session outlives its connection, in seconds. */
export const maxSessionExpiryS = 3600
/** The maximum number of sessions without a connection, of all users and of one. */
const maxHeld = 1024
const maxOfUser = 4

interface Held {
    user: string
    state: SessionState
    timer: Timer
    /** Publishes the last will, which waits for its Will Delay (§3.1.3.2.2). */
    will: { timer: Timer; publish(): void } | undefined
}

/** The sessions whose connection has ended but which have not expired (MQTT 5 §3.1.2.11.2). The oldest makes room. */
export class HeldSessions {
    private readonly clock: Clock
    private readonly held = new Map<string, Held>()

    constructor(clock: Clock) {
        this.clock = clock
    }

    /** Keeps a session of a user for `expiryS`. `will` is called after `willDelayS`, unless the session is taken before. */
    hold(
        { user, clientId }: { user: string; clientId: string },
        state: SessionState,
        { expiryS, willDelayS, will }: { expiryS: number; willDelayS: number; will: (() => void) | undefined },
    ): void {
        const key = keyOf(user, clientId)
        this.drop(key)
        const own = [...this.held].filter(([, { user: other }]) => other === user)
        if (own.length >= maxOfUser) this.drop(own[0]![0])
        else if (this.held.size >= maxHeld) this.drop([...this.held.keys()][0]!)
        state.suspend()
        const held: Held = {
            ...{ user, state, will: undefined },
            timer: this.clock.setTimeout(() => this.drop(key), expiryS * 1000),
        }
        this.held.set(key, held)
        if (!will) return
        const publish = () => {
            held.will = undefined
            will()
        }
        held.will = { publish, timer: this.clock.setTimeout(publish, Math.min(willDelayS, expiryS) * 1000) }
    }

    /** Returns the state of a session that continues, and cancels its last will. */
    take(user: string, clientId: string): SessionState | undefined {
        const key = keyOf(user, clientId)
        const held = this.held.get(key)
        if (!held) return undefined
        this.clock.clearTimeout(held.timer)
        this.clock.clearTimeout(held.will?.timer)
        this.held.delete(key)
        return held.state
    }

    /** The states of the held sessions of a user. */
    of(user: string): SessionState[] {
        return [...this.held.values()].filter(held => held.user === user).map(({ state }) => state)
    }

    /** Ends all sessions of a user. */
    forget(user: string): void {
        for (const [key, held] of [...this.held]) if (held.user === user) this.drop(key)
    }

    close(): void {
        for (const { timer, will } of this.held.values()) {
            this.clock.clearTimeout(timer)
            this.clock.clearTimeout(will?.timer)
        }
        this.held.clear()
    }

    /** Ends a session; its last will is due then at the latest. */
    private drop(key: string): void {
        const held = this.held.get(key)
        if (!held) return
        this.held.delete(key)
        this.clock.clearTimeout(held.timer)
        this.clock.clearTimeout(held.will?.timer)
        held.will?.publish()
    }
}

function keyOf(user: string, clientId: string): string {
    return `${user} ${clientId}`
}
