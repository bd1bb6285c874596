import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Argument, Command, InvalidArgumentError } from "commander"
import { boards } from "../../devicescript/boards.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import {
    readRuntime,
    reportOf,
    reportText,
    routerName,
    runBoard,
    SiliconMote,
    type BoardEvent,
} from "../../emulator/index.ts"
import { fileError, UserError } from "../../host/errors.ts"
import {
    accelerometers,
    DevtoolsBridge,
    hostNetwork,
    thermometers,
    wearableChips,
    type AccelerometerName,
    type Fault,
    type ThermometerName,
} from "../../sim/index.ts"
import { kidBytes, secretBytes } from "../../wire/keys.ts"
import { routerUrl } from "../board-options.ts"
import { faultHelp, faultOption } from "../fault.ts"
import { accelerationUnitOption, hexBytes, integer, option, positive } from "../options.ts"
import { madeUpWearer, recordedWearer, recordingOption, type RecordedWearer } from "../wearer.ts"

interface PowerCut {
    fromS: number
    toS: number
}

interface Options extends RecordedWearer {
    board: string
    runtime?: string
    router: string
    kid?: Uint8Array
    secret?: Uint8Array
    thermometer: ThermometerName
    accelerometer: AccelerometerName
    fault?: Fault[]
    powerCut?: PowerCut[]
    cutInWrite?: number
    batteryV?: number
    dnsTtl: number
    data: string
    seed: number
    seconds?: number
    fast: boolean
    devtools: boolean
    verbose: boolean
    json: boolean
}

const emulated = ["picow"]

export const emulateCommand = new Command("emulate")
    .description("run the firmware on an emulated board: the real runtime, instruction by instruction")
    .addArgument(
        new Argument("[program]", "a program (.ts), or a bundle (.uf2) with runtime, definition, program").default(
            boards.picow!.program,
        ),
    )
    .addOption(option("--board <board>", "the board").choices(emulated).default("picow"))
    .addOption(
        option(
            "--runtime <file>",
            "DeviceScript's runtime, a UF2 file (default: the one that `devs flash` has fetched)",
        ),
    )
    .addOption(
        option("--router <url>", "the router, coap+tcp://host:port or mqtt://host:port")
            .default("coap+tcp://localhost:5683")
            .argParser(routerUrl),
    )
    .addOption(option("--kid <hex>", "identity of the mote, 16 hex digits").argParser(hexBytes(kidBytes, "--kid")))
    .addOption(
        option("--secret <hex>", "secret of the mote, 64 hex digits; better given as VITALMOTE_SECRET").argParser(
            hexBytes(secretBytes, "--secret"),
        ),
    )
    .addOption(option("--ppg <file[@hz]>", "replay a recording as the optical signal").argParser(recordingOption))
    .addOption(
        option("--acc <file[@hz]>", "acceleration recorded with --ppg (three columns)").argParser(recordingOption),
    )
    .addOption(accelerationUnitOption())
    .addOption(option("--thermometer <chip>", "its thermometer").choices(thermometers).default(thermometers[0]))
    .addOption(option("--accelerometer <chip>", "its accelerometer").choices(accelerometers).default(accelerometers[0]))
    .addOption(
        option(
            "--fault <chip:kind@from-to>",
            `make a chip fail from one second to another, such as optical:nack@30-60; repeatable: ${faultHelp}`,
        ).argParser(faultOption),
    )
    .addOption(
        option("--power-cut <from-to>", "cut the power from one second to another; repeatable").argParser(powerCut),
    )
    .addOption(
        option("--cut-in-write <n>", "cut the power for a second in the middle of the n-th flash write").argParser(
            integer(1, 1e6),
        ),
    )
    .addOption(option("--battery-v <volts>", "voltage of its battery").argParser(positive))
    .addOption(option("--dns-ttl <seconds>", "time to live of DNS answers").default(0).argParser(integer(0, 86_400)))
    .addOption(option("--data <dir>", "data folder; its storage is kept there").default(".vitalmote"))
    .addOption(option("--seed <n>", "seed of its random numbers").default(1).argParser(integer(0, 0x7fffffff)))
    .addOption(option("--seconds <s>", "stop after this many seconds of emulated time").argParser(positive))
    .option("--fast", "run as fast as possible instead of in real time", false)
    .option("--devtools", "plug in a USB cable: join the Jacdac bus of `devs devtools`", false)
    .option("--verbose", "also print the runtime's log", false)
    .option("--json", "print the report as JSON", false)
    .action((program: string, options: Options) => emulate(program, options))

async function emulate(program: string, options: Options): Promise<void> {
    const { kid, secret, seconds = Infinity } = options
    if (!kid !== !secret) throw new UserError("--kid and --secret go together", 2)
    const name = kid ? Buffer.from(kid).toString("hex") : "0000000000000000"
    const body = recordedWearer(options) ?? madeUpWearer(name)
    const { thermometer, accelerometer, fault: faults, batteryV, seed } = options
    const isBundle = program.endsWith(".uf2")
    if (!isBundle) console.error("building the firmware …")
    const cable: { mote?: SiliconMote } = {}
    const bridge = options.devtools ? await DevtoolsBridge.connect(frame => cable.mote?.receive(frame)) : undefined
    // The network is this machine's. The clock starts with this machine's time and then runs by itself.
    const target = new URL(options.router)
    const said = (line: string) => console.error(line)
    const mote = await SiliconMote.flash({
        runtime: isBundle ? await readBundle(program) : await readRuntime(options.runtime),
        ...(!isBundle && { board: options.board, program: await buildFirmware(program) }),
        settings: {
            ...(kid && { kid: name, secret: Buffer.from(secret!).toString("hex"), router: namedRouter(target) }),
            ...(batteryV !== undefined && { batteryV: boards[options.board]!.batteryV }),
        },
        storageFile: kid && join(options.data, "motes", `${name}.storage`),
        seed,
        startMs: Date.now(),
        chips: clock => wearableChips(clock, body, 1, { thermometer, accelerometer, faults }),
        ...(batteryV !== undefined && { batteryPin: () => batteryV / boards[options.board]!.batteryV }),
        connect: (host, port) => hostNetwork(host === routerName ? bare(target.hostname) : host, port, false),
        dnsTtlS: options.dnsTtl,
        log: line => (line.startsWith("> ") ? said(line.slice(2)) : options.verbose && said(line)),
        emulatorLog: line => options.verbose && said(`rp2040js: ${line}`),
        onEvent: event => said(eventText(event)),
        ...(bridge && { frame: frame => bridge.send(frame) }),
    })
    cable.mote = mote
    const { board } = mote
    const cuts = [...(options.powerCut ?? [])]
    if (options.cutInWrite !== undefined) {
        let writes = 0
        board.flash.powerFailure = () => {
            if (++writes !== options.cutInWrite) return undefined
            cuts.push({ fromS: board.nanos / 1e9, toS: board.nanos / 1e9 + 1 })
            return 0.5
        }
    }
    board.powerUp()
    let isStopped = false
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (isStopped = true))
    console.log(
        `board ${options.board} runs${kid ? `, mote ${name} sends to ${options.router}` : ", without identity"}`,
    )
    const processorMs = await runBoard(board, {
        isFast: options.fast,
        untilS: seconds,
        shouldEnd: now => {
            const isOff = cuts.some(({ fromS, toS }) => now >= fromS && now < toS)
            if (isOff) board.powerDown()
            else board.powerUp()
            return isStopped
        },
    })
    const report = reportOf(board, processorMs)
    board.powerDown()
    mote.wifi.router.reset()
    bridge?.close()
    console.log(options.json ? JSON.stringify(report) : reportText(report))
    if (report.halt) process.exitCode = 1
}

/** Replaces the host by a name of the emulated WiFi, because a Pico W cannot connect to an IP address. */
function namedRouter({ protocol, port }: URL): string {
    return `${protocol}//${routerName}${port && `:${port}`}`
}

function bare(hostname: string): string {
    return hostname.replace(/^\[(.*)\]$/, "$1")
}

async function readBundle(file: string): Promise<Uint8Array> {
    return new Uint8Array(await readFile(file).catch((error: unknown) => Promise.reject(fileError(file, error))))
}

function eventText(event: BoardEvent): string {
    switch (event.kind) {
        case "reset":
            return `reset: ${event.reset}`
        case "power failure":
            return "the power fails in a flash write"
        case "halt":
            return `halted after ${(event.nanos / 1e9).toFixed(3)} s: ${event.halt.kind}`
    }
}

function powerCut(text: string, previous: PowerCut[] = []): PowerCut[] {
    const [, from, to] = /^(\d{1,7}(?:\.\d{1,3})?)-(\d{1,7}(?:\.\d{1,3})?)$/.exec(text) ?? []
    if (from === undefined || Number(from) >= Number(to)) throw new InvalidArgumentError("Expected FROM-TO in seconds.")
    return [...previous, { fromS: Number(from), toS: Number(to) }]
}
