import { Command } from "commander"
import { basename } from "node:path"
import { UserError } from "../../host/errors.ts"
import {
    accelerationFile,
    decimalSigns,
    type DecimalSign,
    type AccelerationUnit,
    estimate,
    type Estimate,
    type RecordedAcceleration,
    type Recording,
    recordingFile,
} from "../../sim/index.ts"
import { accelerationUnitOption, option, positive } from "../options.ts"
import type { Figure, Series } from "../plot/figure.ts"
import { figureFile } from "../plot/output.ts"
import { referenceAt, referenceBeside, referenceFile, type Reference } from "../plot/reference.ts"
import { progress } from "../progress.ts"

export const hrCommand = new Command("hr")
    .description(
        "run the firmware's heart-rate estimator, as bytecode in the VM, over a recording; one JSON line per window",
    )
    .argument(
        "<file>",
        "recording: a table of numbers (CSV), with or without a header, comments and a time column; or EDF",
    )
    .addOption(option("--fs <hz>", "sampling rate, if the file has no time column").argParser(positive))
    .addOption(option("--column <name>", "the column with raw PPG, by its title or its number from 1"))
    .addOption(
        option(
            "--red <name>",
            "a column of red light; --column is then infrared, more blood is less in both, and each line has the " +
                "oxygen saturation, which is not calibrated",
        ),
    )
    .addOption(option("--decimal <sign>", "decimal sign, if the file does not make it clear").choices(decimalSigns))
    .addOption(
        option(
            "--counts",
            "the numbers are counts of a MAX30102 (infrared, 7 mA, 4,096 nA full scale), where less is more blood; " +
                "without it they are scaled to skin, so that no part of them is a sensor without a finger",
        ),
    )
    .addOption(option("--acc <file>", "acceleration recorded at the same time, CSV with three columns"))
    .addOption(option("--acc-fs <hz>", "sampling rate of the acceleration, if it differs").argParser(positive))
    .addOption(accelerationUnitOption())
    .addOption(option("--plot <file>", "plot the result: a picture (.svg) or a zoomable page (.html)"))
    .addOption(option("--reference <file>", "JSON with ref_bpm, for --plot (default: NAME.json beside NAME.csv)"))
    .action(async (file: string, options: Options) => {
        const { fs, column, red, decimal, counts, acc, accFs, accUnit, plot, reference: known } = options
        if (red !== undefined && column === undefined)
            throw new UserError("--red goes with --column, which names the infrared column", 2)
        if (known && !plot) throw new UserError("--reference is for --plot", 2)
        if ((accFs || accUnit) && !acc) throw new UserError("--acc-fs and --acc-unit go with --acc", 2)
        const draw = plot ? figureFile(plot, [file, acc, known]) : undefined
        const reference = known ? referenceFile(known) : draw && referenceBeside(file)
        // The recording repeats, so that the signal does not stop before the last window is complete.
        const loop = true
        const recording = recordingFile(file, fs, { column, red, decimal, counts, loop })
        const defaultRate = recording.rate
        const acceleration = acc ? accelerationFile(acc, accFs, accUnit, { decimal, defaultRate }) : undefined
        if (acceleration) recording.moves(acceleration)
        const estimates: Estimate[] = []
        const done = progress(recording.durationS)
        await estimate(recording, recording.durationS, line => {
            const { spo2, ...rate } = line
            console.log(JSON.stringify(red === undefined ? rate : { ...rate, spo2 }))
            estimates.push(line)
            done(line.t)
        })
        await draw?.(figure(basename(file), recording, estimates, acceleration, reference))
    })

function figure(
    title: string,
    recording: Recording,
    estimates: Estimate[],
    acceleration?: RecordedAcceleration,
    reference?: Reference,
): Figure {
    return {
        title,
        signal: { values: recording.samples, rate: recording.rate },
        ...(acceleration && { acceleration: magnitude(acceleration) }),
        windows: estimates.map(one => ({
            ...one,
            reference: reference ? referenceAt(reference, one.t) : null,
        })),
    }
}

/** The rate of a mote's accelerometer. */
const accelerationHz = 25

function magnitude(acceleration: RecordedAcceleration): Series {
    const count = Math.floor(acceleration.durationS * accelerationHz)
    const values = Float64Array.from({ length: count }, (_, i) => Math.hypot(...acceleration.at(i / accelerationHz)))
    return { values, rate: accelerationHz }
}

interface Options {
    fs?: number
    column?: string
    red?: string
    decimal?: DecimalSign
    counts?: boolean
    acc?: string
    accFs?: number
    accUnit?: AccelerationUnit
    plot?: string
    reference?: string
}
