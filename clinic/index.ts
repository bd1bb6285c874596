export { Clinic, type Credentials } from "./clinic.ts"
export { startClinic, type RunningClinic, type StartOptions } from "./start.ts"
export { openSqlite } from "./store/sqlite/open.ts"
export { parseRoute, routeForm } from "./delivery/routes.ts"
