import { join } from "node:path"
import { Command } from "commander"
import {
    type AccelerometerName,
    accelerometers,
    DevtoolsBridge,
    type Fault,
    type Mote,
    startLiveMote,
    type ThermometerName,
    thermometers,
} from "../../sim/index.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { kidBytes, secretBytes } from "../../wire/keys.ts"
import { routerUrl } from "../board-options.ts"
import { faultHelp, faultOption } from "../fault.ts"
import { accelerationUnitOption, hexBytes, mandatory, option, withConfigFile } from "../options.ts"
import { runUntilStopped } from "../service.ts"
import {
    conditionHelp,
    conditionOption,
    madeUpWearer,
    recordedWearer,
    recordingOption,
    type ConditionOption,
    type RecordedWearer,
} from "../wearer.ts"

interface Options extends RecordedWearer {
    wearer?: ConditionOption
    router: string
    kid: Uint8Array
    secret: Uint8Array
    thermometer: ThermometerName
    accelerometer: AccelerometerName
    fault?: Fault[]
    data: string
    devtools: boolean
    verbose: boolean
}

export const moteCommand = withConfigFile(
    new Command("mote")
        .description("run one simulated mote: the firmware's bytecode, sensor models, a wearer")
        .addOption(
            option("--router <url>", "the router, coap+tcp://host:port or mqtt://host:port")
                .default("coap+tcp://localhost:5683")
                .argParser(routerUrl),
        )
        .addOption(
            mandatory(
                option("--kid <hex>", "identity of the mote, 16 hex digits").argParser(hexBytes(kidBytes, "--kid")),
            ),
        )
        .addOption(
            mandatory(
                option(
                    "--secret <hex>",
                    "secret of the mote, 64 hex digits; better given as VITALMOTE_SECRET",
                ).argParser(hexBytes(secretBytes, "--secret")),
            ),
        )
        .addOption(
            option(
                "--wearer <name[@time]>",
                `condition of the wearer, and how long its course takes:  ${conditionHelp}`,
            )
                .argParser(conditionOption)
                .conflicts("ppg"),
        )
        .addOption(option("--ppg <file[@hz]>", "replay a recording as the optical signal").argParser(recordingOption))
        .addOption(
            option("--acc <file[@hz]>", "acceleration recorded with --ppg (three columns)").argParser(recordingOption),
        )
        .addOption(accelerationUnitOption())
        .addOption(option("--thermometer <chip>", "its thermometer").choices(thermometers).default(thermometers[0]))
        .addOption(
            option("--accelerometer <chip>", "its accelerometer").choices(accelerometers).default(accelerometers[0]),
        )
        .addOption(
            option(
                "--fault <chip:kind@from-to>",
                `make a chip fail from one second to another, such as optical:nack@30-60; repeatable: ${faultHelp}`,
            ).argParser(faultOption),
        )
        .addOption(option("--data <dir>", "data folder; its flash is kept there").default(".vitalmote"))
        .option("--devtools", "join the Jacdac bus of `devs devtools`, to debug the firmware", false)
        .option("--verbose", "also print what the VM logs", false),
).action(async (options: Options) => {
    const kid = Buffer.from(options.kid).toString("hex")
    const body = recordedWearer(options) ?? madeUpWearer(kid, options.wearer)
    console.error("building the firmware …")
    const wearable: { mote?: Mote } = {}
    const bridge = options.devtools ? await DevtoolsBridge.connect(frame => wearable.mote?.receive(frame)) : undefined
    const mote = await startLiveMote({
        image: await buildFirmware(),
        body,
        kid,
        secret: Buffer.from(options.secret).toString("hex"),
        router: options.router,
        data: join(options.data, "motes"),
        thermometer: options.thermometer,
        accelerometer: options.accelerometer,
        faults: options.fault,
        log: line => console.error(line),
        vmLog: line => options.verbose && console.error(line),
        failed: error => {
            console.error(`vitalmote: ${error.message}`)
            process.exit(1)
        },
        panic: code => console.error(code ? `panic ${code}` : "restart"),
        frame: frame => bridge?.send(frame),
    })
    wearable.mote = mote
    const stop = async () => {
        bridge?.close()
        mote.stop()
    }
    await runUntilStopped(stop, `mote ${kid} runs, sends to ${options.router}`)
})
