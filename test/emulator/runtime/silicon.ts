import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { buildFirmware } from "../../../devicescript/build.ts"
import { followClock } from "../../../emulator/follow.ts"
import { SiliconMote, routerName, type SiliconMoteOptions } from "../../../emulator/silicon-mote.ts"
import { madeUpBody } from "../../../sim/body/index.ts"
import { wearableChips, type WearableOptions } from "../../../sim/devices/chips.ts"
import { eui } from "../../../wire/keys.ts"
import { NonceWatch, type World } from "../../proof/world.ts"

/** The runtime that `VITALMOTE_RUNTIME` names; without it `npm test` leaves these tests out. */
const runtime = new Uint8Array(readFileSync(process.env.VITALMOTE_RUNTIME!))
const program = "src/main-picow.ts"
export const wearer = 5

export interface Life {
    mote: SiliconMote
    lines: string[]
    events: string[]
    /** Lets so much virtual time pass. */
    run(seconds: number, until?: () => boolean): Promise<void>
}

export interface LifeOptions extends Partial<SiliconMoteOptions>, WearableOptions {
    /** `coap+tcp`, unless said otherwise. */
    scheme?: string
}

/** A mote on an emulated board in a world with a router and a clinic, all in virtual time. */
export async function live(world: World, options: LifeOptions = {}): Promise<Life> {
    const { clock, kid, secret } = world
    const lines: string[] = []
    const events: string[] = []
    const body = madeUpBody(wearer)
    const mote = await SiliconMote.flash({
        runtime,
        board: "picow",
        program: await buildFirmware(program),
        settings: {
            kid: eui(kid),
            secret: Buffer.from(secret).toString("hex"),
            router: `${options.scheme ?? "coap+tcp"}://${routerName}`,
        },
        startMs: clock.now(),
        chips: own => wearableChips(own, body, 1, options),
        connect: world.connect,
        log: line => lines.push(line),
        onEvent: ({ kind }) => events.push(kind),
        ...options,
    })
    mote.board.powerUp()
    followClock(mote.board, clock)
    return { mote, lines, events, run: (seconds, until) => clock.run(seconds * 1000, until) }
}

/** The mote goes on: nothing halted, and what it measured meanwhile arrives. */
export async function thrives(world: World, life: Life): Promise<void> {
    const before = world.arrived().length
    await life.run(45)
    assert.equal(life.mote.board.halt, undefined)
    assert.ok(world.arrived().length > before, `nothing after ${life.mote.board.nanos / 1e9} s`)
}

/** No nonce was used for two envelopes. @returns how many envelopes arrived */
export function checkNonces(world: World): number {
    const nonces = new NonceWatch()
    for (const hex of world.clinic.stored) nonces.sent(Buffer.from(hex, "hex"))
    assert.equal(nonces.count, world.clinic.stored.length)
    return nonces.count
}
