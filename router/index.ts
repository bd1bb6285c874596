/** The border router's public entry. */
export type { ClinicLink } from "./clinic-link.ts"
export { dotted } from "./coap/message.ts"
export type { CoapOption } from "./coap/message.ts"
export { decodeOptionsAndPayload as decodeOptions, pathOf } from "./coap/options.ts"
export { httpsClinic } from "./https-clinic.ts"
export { brokerAccess } from "./mqtt-access.ts"
export type { MqttBrokerAccess } from "./mqtt-client.ts"
export { Router, type RouterStats } from "./router.ts"
export {
    startRouter,
    type RunningRouter,
    type TlsAccess,
    listen,
    serveHttp,
    serveUdp,
} from "./start.ts"
export { RouterStore } from "./store.ts"
