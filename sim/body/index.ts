export {
    accelerationFile,
    accelerationUnits,
    parseAcceleration,
    RecordedAcceleration,
    type AccelerationUnit,
} from "./acceleration.ts"
export { decimalSigns, type DecimalSign } from "./dialect.ts"
export { emptyStrap, type Acceleration, type Body, type Led } from "./body.ts"
export { conditionNames, conditions, type ConditionName } from "./conditions.ts"
export { exerciseSession, exerciseSites } from "./exercising.ts"
export { illBody, madeUpBody, wearerOptions } from "./made-up.ts"
export { recordingBody, recordingFile, type Recording, type RecordingOptions } from "./recording.ts"
export { skinTones, type SkinTone } from "./melanin.ts"
export type { MotionBout } from "./motion.ts"
export { exerciseKinds, usualCadences, type MotionKind } from "./movement.ts"
export { syntheticBody, type SyntheticOptions } from "./synthetic.ts"
