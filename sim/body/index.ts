export {
    accelerationFile,
    accelerationUnits,
    parseAcceleration,
    type AccelerationUnit,
} from "./acceleration.ts"
export { emptyStrap, type Acceleration, type Body, type Led } from "./body.ts"
export { madeUpBody } from "./made-up.ts"
export { recordingBody, recordingFile, type Recording, type RecordingOptions } from "./recording.ts"
export {
    syntheticBody,
    type Interval,
    type MotionBout,
    type SyntheticOptions,
    type Trajectory,
} from "./synthetic.ts"
