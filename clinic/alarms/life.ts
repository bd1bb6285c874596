/*
 * The life of an alarm, as a state machine without clock or store: docs/alarms.md has the figure. Times are unix milliseconds of
 * the clinic's clock. Nothing but an event of this list changes a state; silence never ends an alarm.
 */

import type { AssociationEnd } from "../motes/association-end.ts"

/**
 * `raised`: nobody has attended to it, it sounds. `acknowledged`, `paused`: somebody has, for a time. `latched`: its condition is over,
 * nobody has seen it. `closed`: no longer on the screen.
 */
export type State = "raised" | "acknowledged" | "paused" | "latched" | "closed"

/** For how long an alarm may be paused, in minutes: never for ever. */
export const pauseMinutes = [2, 5, 10, 30] as const
export type PauseMinutes = (typeof pauseMinutes)[number]

/** An acknowledgement can be taken back for so long. */
export const undoMs = 60_000

/** What begins again so soon after its end has never been away: the escalation goes on where it was. */
export const flutterMs = 60_000

export interface Life {
    state: State
    /** Since when it is in this state. */
    since: number
    /** When `acknowledged` or `paused` ends by itself; null in any other state. */
    until: number | null
    /** Since when it waits for somebody: the escalation counts from here. */
    waitingSince: number
    /** Escalation steps taken since it was last `raised`. */
    level: number
    /** Who acknowledged or paused it last; null while nobody has. */
    by: string | null
    /** What an undo goes back to, while that is possible. */
    before: { state: "raised" | "latched"; since: number; waitingSince: number; level: number } | null
}

export interface Rules {
    /** After so long an acknowledged alarm that lasts is raised again. */
    acknowledgedMs: number
    /** Escalation: after so long in `raised` each step is taken, in rising order. */
    escalateAfterMs: readonly number[]
    /** Whether an alarm that ends unseen stays on the screen until somebody has acknowledged it. */
    isLatching: boolean
}

export type Event =
    | { type: "worsened" | "cleared" | "again" | "time"; at: number }
    | { type: "withdrawn"; at: number; because?: AssociationEnd }
    | { type: "acknowledge" | "undo"; at: number; by: string }
    | { type: "pause"; at: number; by: string; minutes: PauseMinutes }

/** What happened, for the log of the shift; `escalated` with the step that was taken; why nothing more is to be heard of it. */
export type Change =
    | "worsened"
    | "cleared"
    | "again"
    | "acknowledged"
    | "undone"
    | "paused"
    | "acknowledgement-expired"
    | "pause-expired"
    | "escalated"
    | "closed"
    | AssociationEnd

export interface Entry {
    at: number
    change: Change
    by: string | null
    level: number
}

export type Refusal = "closed" | "already-acknowledged" | "nothing-to-undo" | "condition-is-over"

export type Outcome = { life: Life; entries: Entry[] } | { refused: Refusal }

/** An alarm that has just been raised. */
export function born(at: number): Life {
    return { state: "raised", since: at, until: null, waitingSince: at, level: 0, by: null, before: null }
}

/** The state after an event, and what to log; an event that changes nothing gives no entry. */
export function next(life: Life, event: Event, rules: Rules): Outcome {
    const due = event.type === "time" ? { life, entries: [] } : advance(life, event.at, rules)
    const outcome = step(due.life, event, rules)
    if ("refused" in outcome) return outcome
    // What waits again since long ago, after an undo or a flutter, escalates now, not at a time when somebody attended to it.
    const late = advance(outcome.life, event.at, rules)
    const entries = late.entries.map(entry => ({ ...entry, at: event.at }))
    return { life: late.life, entries: [...due.entries, ...outcome.entries, ...entries] }
}

/** When `time` should be called next; null: never. */
export function dueAt({ state, until, waitingSince, level }: Life, { escalateAfterMs }: Rules): number | null {
    if (state === "acknowledged" || state === "paused") return until
    if (state !== "raised") return null
    const afterMs = escalateAfterMs[level]
    return afterMs === undefined ? null : waitingSince + afterMs
}

/**
 * The same alarm by a clock that has gone back: what began in the future begins now, and lasts no longer than it would have.
 */
export function notAheadOf(life: Life, now: number): Life {
    const { since, until, waitingSince } = life
    const back = Math.max(0, since - now)
    return {
        ...life,
        ...{ since: since - back, until: until === null ? null : until - back },
        waitingSince: Math.min(waitingSince, now),
    }
}

function step(life: Life, event: Event, rules: Rules): Outcome {
    const { state } = life
    if (event.type === "time") return advance(life, event.at, rules)
    if (event.type === "undo") return undo(life, event)
    if (event.type === "again") return again(life, event)
    if (state === "closed") return "by" in event ? { refused: "closed" } : { life, entries: [] }
    switch (event.type) {
        case "withdrawn":
            return to(life, event, "closed", event.because ?? "closed")
        case "worsened":
            if (state === "latched") return { life, entries: [] }
            return state === "raised" ? log(life, event, "worsened") : raise(life, event, "worsened")
        case "cleared":
            if (state === "latched") return { life, entries: [] }
            return to(life, event, state === "raised" && rules.isLatching ? "latched" : "closed", "cleared")
        case "acknowledge":
            if (state === "acknowledged") return { refused: "already-acknowledged" }
            return attend(life, event, state === "latched" ? "closed" : "acknowledged", event.at + rules.acknowledgedMs)
        case "pause":
            if (state === "latched") return { refused: "condition-is-over" }
            return attend(life, event, "paused", event.at + event.minutes * 60_000)
    }
}

/** What time alone does: acknowledgements and pauses end, and an alarm that nobody attends to escalates. */
function advance(life: Life, now: number, rules: Rules): { life: Life; entries: Entry[] } {
    const entries: Entry[] = []
    for (;;) {
        const at = dueAt(life, rules)
        if (at === null || at > now) return { life, entries }
        const due = life.state === "raised" ? escalate(life, at) : expire(life, at)
        life = due.life
        entries.push(...due.entries)
    }
}

function escalate(life: Life, at: number): { life: Life; entries: Entry[] } {
    const level = life.level + 1
    return { life: { ...life, level }, entries: [{ at, change: "escalated", by: null, level }] }
}

function expire(life: Life, at: number): { life: Life; entries: Entry[] } {
    const change = life.state === "paused" ? "pause-expired" : "acknowledgement-expired"
    return { life: { ...born(at), by: life.by }, entries: [{ at, change, by: null, level: 0 }] }
}

function undo(life: Life, { at, by }: { at: number; by: string }): Outcome {
    if (!life.before || at - life.since > undoMs) return { refused: "nothing-to-undo" }
    // The escalation goes on where it was, so that an undo never hides an alarm from those who would have been told.
    const undone: Life = { ...life.before, until: null, by: null, before: null }
    return { life: undone, entries: [{ at, change: "undone", by, level: undone.level }] }
}

/** Somebody attends to it. A pause that follows a pause keeps what an undo would go back to. */
function attend(life: Life, event: { at: number; by: string }, state: State, until: number): Outcome {
    const { at, by } = event
    const change = state === "paused" ? "paused" : "acknowledged"
    const { level, since, waitingSince } = life
    const before =
        life.state === "raised" || life.state === "latched"
            ? { state: life.state, since, waitingSince, level }
            : life.before
    const ends = state === "closed" ? null : until
    const attended: Life = { state, since: at, until: ends, waitingSince: at, level: 0, by, before }
    return { life: attended, entries: [{ at, change, by, level }] }
}

function again(life: Life, event: { at: number }): Outcome {
    const { state, since, waitingSince, level } = life
    if (state !== "closed" && state !== "latched") return { life, entries: [] }
    const raised = raise(life, event, "again")
    if (event.at - since > flutterMs) return raised
    return { ...raised, life: { ...raised.life, waitingSince, level } }
}

function raise(life: Life, { at }: { at: number }, change: Change): { life: Life; entries: Entry[] } {
    return { life: { ...born(at), by: life.by }, entries: [{ at, change, by: null, level: 0 }] }
}

function to(life: Life, { at }: { at: number }, state: "latched" | "closed", change: Change): Outcome {
    const left: Life = { ...life, state, since: at, until: null, before: null }
    return { life: left, entries: [{ at, change, by: null, level: life.level }] }
}

function log(life: Life, { at }: { at: number }, change: Change): Outcome {
    return { life, entries: [{ at, change, by: null, level: life.level }] }
}
