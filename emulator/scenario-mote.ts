import { buildFirmware } from "../devicescript/build.ts"
import { boards } from "../devicescript/boards.ts"
import type { StartSilicon } from "../sim/mote/silicon.ts"
import { followClock } from "./follow.ts"
import { routerName, SiliconMote } from "./silicon-mote.ts"

const board = "picow"

/** For motes of a scenario that run on an emulated Pico W. @throws UserError where the program does not compile */
export async function siliconStarter(runtime: Uint8Array): Promise<StartSilicon> {
    const program = await buildFirmware(boards[board]!.program)
    return async ({ clock, seed, settings, chips, connect, log }) => {
        const router = new URL(settings.router)
        const address = router.hostname.replace(/^\[(.*)\]$/, "$1")
        const named = `${router.protocol}//${routerName}${router.port && `:${router.port}`}`
        const mote = await SiliconMote.flash({
            runtime,
            board,
            program,
            settings: { ...settings, router: named },
            seed,
            startMs: clock.now(),
            chips,
            connect: (host, port) => connect(host === routerName ? address : host, port, false),
            log: line => line.startsWith("> ") && log(line.slice(2)),
            onEvent: event => {
                if (event.kind === "halt") log(`the board halts: ${event.halt.kind}`)
            },
        })
        mote.board.powerUp()
        // Without power its time goes on, too.
        followClock(mote.board, clock)
        return {
            stop: () => mote.board.powerDown(),
            powerUp: () => Promise.resolve(mote.board.powerUp()),
            crash: () => mote.board.reset(),
        }
    }
}
