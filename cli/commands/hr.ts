import { Command } from "commander"
import { accelerationFile, recordingFile, type AccelerationUnit } from "../../sim/body/index.ts"
import { estimate } from "../../sim/estimate.ts"
import { accelerationUnitOption, option, positive } from "../options.ts"

export const hrCommand = new Command("hr")
    .description(
        "run the firmware's heart-rate estimator, as bytecode in the VM, over a recording; one JSON line per window",
    )
    .argument("<file>", "recording, CSV with one column of raw PPG")
    .addOption(option("--fs <hz>", "its sampling rate").argParser(positive).makeOptionMandatory())
    .addOption(option("--acc <file>", "acceleration of the same time, CSV with three columns"))
    .addOption(
        option("--acc-fs <hz>", "its sampling rate, where it is another").argParser(positive),
    )
    .addOption(accelerationUnitOption())
    .action(async (file: string, options: Options) => {
        const { fs, acc, accFs, accUnit } = options
        const acceleration = acc ? accelerationFile(acc, accFs ?? fs, accUnit) : undefined
        const recording = recordingFile(file, fs, { acceleration })
        await estimate(recording, recording.durationS, line => console.log(JSON.stringify(line)))
    })

interface Options {
    fs: number
    acc?: string
    accFs?: number
    accUnit?: AccelerationUnit
}
