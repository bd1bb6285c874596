import type { Generated } from "kysely"

/*
 * The tables as TypeScript sees them, the same for every engine. Times are unix ms, truth values 0 and 1, bytes Uint8Array.
 * What each column means stands with the interface of the room that the table belongs to.
 */

export interface Schema {
    patient: PatientRow
    account: AccountRow
    openid_link: OpenIdLinkRow
    passkey: PasskeyRow
    token: TokenRow
    session: SessionRow
    setup_link: SetupLinkRow
    second_factor: SecondFactorRow
    recovery_code: RecoveryCodeRow
    mote: MoteRow
    association: AssociationRow
    mote_alarm: MoteAlarmRow
    envelope: EnvelopeRow
    start: StartRow
    gap: GapRow
    measurement: MeasurementRow
    configuration: ConfigurationRow
    config_report: ConfigReportRow
    command: CommandRow
    alarm: AlarmRow
    alarm_entry: AlarmEntryRow
    ward_rules: WardRulesRow
    current: CurrentRow
    router: RouterRow
    probe: ProbeRow
    delivery: DeliveryRow
    account_ward: AccountWardRow
    break_glass: BreakGlassRow
    bedside: BedsideRow
    saturation_scale: SaturationScaleRow
    router_mote: RouterMoteRow
    note: NoteRow
    audit: AuditRow
    audit_patient: AuditPatientRow
    audit_head: AuditHeadRow
    audit_begun: AuditBegunRow
    publication: PublicationRow
    retention_rule: RetentionRuleRow
    mean: MeanRow
    retention_state: RetentionStateRow
    legal_hold: LegalHoldRow
    erasure: ErasureRow
}

export type TableName = keyof Schema

interface PatientRow {
    id: Generated<number>
    active: number
    given: string
    family: string
    birth_date: string | null
    gender: string | null
    identifier: string | null
    bed: string | null
    ward: string | null
    updated_at: number
}

interface AccountRow {
    id: Generated<number>
    name: string
    role: string
    password: string | null
    patient: number | null
    prefetch: number
    is_active: Generated<number>
    passkey_factor: Generated<number>
    all_wards: number
}

/** Whom a provider of OpenID Connect knows as somebody here. */
interface OpenIdLinkRow {
    issuer: string
    subject: string
    account: number
    /** 1: the account was made by the first sign-in, and follows the provider's claims. */
    is_managed: number
    linked_at: number
}

interface PasskeyRow {
    id: Generated<number>
    account: number
    credential: string
    public_key: Uint8Array
    counter: number
    transports: string
    name: string
    created_at: number
    used_at: Generated<number | null>
}

interface TokenRow {
    id: Generated<number>
    hash: Uint8Array
    account: number
    name: string
    created_at: number
    expires_at: number | null
    used_at: number | null
    actions: string | null
    wards: string | null
}

interface SessionRow {
    id: Generated<number>
    hash: Uint8Array
    account: number
    agent: string
    way: string
    created_at: number
    used_at: number
}

interface SetupLinkRow {
    hash: Uint8Array
    account: number
    made_at: number
    expires_at: number
}

interface SecondFactorRow {
    account: number
    secret: Uint8Array
    is_active: number
    last_step: number
}

interface RecoveryCodeRow {
    account: number
    hash: Uint8Array
}

interface MoteRow {
    id: Generated<number>
    kid: Uint8Array
    secret: Uint8Array
    registered_at: number
    revoked_at: number | null
    generation: Generated<number>
    next_secret: Uint8Array | null
    next_generation: Generated<number>
    previous_secret: Uint8Array | null
    rotated_at: number | null
    least_version: Generated<number>
}

interface AssociationRow {
    id: Generated<number>
    mote: number
    patient: number
    begins_at: number
    begun_by: string | null
    ends_at: Generated<number | null>
    ended_by: Generated<string | null>
    reason: Generated<string | null>
}

interface MoteAlarmRow {
    mote: number
    kind: string
    generation: number
    number: number
    is_on: number
    unit: string | null
}

interface EnvelopeRow {
    id: Generated<number>
    mote: number
    boot: number
    salt: Uint8Array
    seq: number
    purpose: string
    received_at: number
    stored_at: number
    router: number
    bytes: Uint8Array
    problem: string | null
    clock_offset: Generated<number>
}

interface StartRow {
    mote: number
    boot: number
    salt: Uint8Array
    stored: number
    newest_seq: number
    newest_at: number
    newest_id: Generated<number>
}

interface GapRow {
    mote: number
    boot: number
    salt: Uint8Array
    first: number
    last: number
    opened_at: Generated<number>
}

interface MeasurementRow {
    id: Generated<number>
    envelope: number
    mote: number
    /** What the table `association` said when it arrived, for the index; 0: nobody. */
    patient: number
    name: string
    unit: string
    value: number | null
    absent: string | null
    quality: number | null
    time: number
    relative: number
    problem: string | null
    count: number | null
    least: number | null
    greatest: number | null
    span: number | null
}

interface ConfigurationRow {
    mote: number
    version: number
    settings: string
    author: string
    made_at: number
    sealed: Uint8Array
    sealed_next: Uint8Array | null
    state: string
    reason: string | null
    answered_at: number | null
}

interface ConfigReportRow {
    mote: number
    version: number
    heard_at: number
    boot: number | null
    seq: number | null
}

interface CommandRow {
    mote: number
    version: number
    name: string
    author: string
    made_at: number
    expires_at: number
    sealed: Uint8Array
    sealed_next: Uint8Array | null
}

interface AlarmRow {
    id: Generated<number>
    source: string
    mote: number | null
    patient: number | null
    ward: string | null
    kind: string
    generation: number
    number: number
    unit: string | null
    raised_at: number | null
    raised_about: number
    raised_value: number | null
    cleared_at: number | null
    cleared_about: number
    cleared_value: number | null
    stored_at: number
    acknowledged_at: number | null
    acknowledged_by: string | null
    first_seen_at: number | null
    first_seen_by: string | null
    is_open: number
    is_line: number
    count: number
    priority: string
    limit_value: number | null
    worst_value: number | null
    worst_at: number | null
    attended_value: number | null
    state: string
    since: number
    until: number | null
    waiting_since: number
    level: number
    attended_by: string | null
    undo: string | null
    due_at: number | null
}

interface AlarmEntryRow {
    id: Generated<number>
    alarm: number
    at: number
    change: string
    by: string | null
    level: number
    value: number | null
    told: string | null
    failure: string | null
}

interface WardRulesRow {
    ward: string
    version: number
    settings: string
    author: string
    made_at: number
}

interface CurrentRow {
    patient: number
    name: string
    time: number
}

interface RouterRow {
    account: number
    heard_at: number
    clock_offset: number | null
    lost_at: number | null
}

interface ProbeRow {
    id: number
    at: number
    room: Uint8Array
}

interface DeliveryRow {
    id: Generated<number>
    notice: string
    channel: string
    alarm: number
    phase: string
    made_at: number
    attempts: number
    next_at: number | null
    delivered_at: Generated<number | null>
    failure: Generated<string | null>
}

interface AccountWardRow {
    account: number
    ward: string
}

interface BreakGlassRow {
    id: Generated<number>
    account: number
    user: string
    patient: number
    reason: string
    made_at: number
    ends_at: number
    reviewed_at: Generated<number | null>
    reviewed_by: Generated<string | null>
}

interface BedsideRow {
    id: Generated<number>
    patient: number
    name: string
    value: number
    time: number
    stored_at: number
    author: string
}

interface SaturationScaleRow {
    id: Generated<number>
    patient: number
    scale: number
    author: string
    made_at: number
}

interface RouterMoteRow {
    account: number
    mote: number
}

interface NoteRow {
    id: Generated<number>
    patient: number
    text: string
    time: number
    author: string
}

interface AuditRow {
    /** 1, 2, 3 …, without a gap. */
    id: number
    at: number
    account: number | null
    user: string | null
    role: string | null
    credential: string | null
    address: string | null
    subject: string
    action: string
    outcome: string
    /** JSON list of numbers. */
    patients: string
    request: string | null
    /** JSON object. */
    detail: string | null
    hash: Uint8Array
}

interface AuditPatientRow {
    patient: number
    audit: number
}

interface AuditHeadRow {
    id: number
    count: number
    hash: Uint8Array
    mac: Uint8Array
}

interface AuditBegunRow {
    id: Generated<number>
    event: string
    /** Of those that have the database open; 0 where only one can. */
    process: Generated<number>
}

interface PublicationRow {
    name: string
    measurement: number
    alarm_entry: number
}

interface RetentionRuleRow {
    ward: string
    version: number
    is_own: number
    envelopes: number | null
    readings: number | null
    minutes: number | null
    hours: number | null
    author: string
    made_at: number
}

interface MeanRow {
    id: Generated<number>
    patient: number
    name: string
    step: number
    time: number
    mote: number
    value: number
    count: number
    least: number
    greatest: number
    quality: number | null
}

interface RetentionStateRow {
    id: number
    at: number
    finished_at: number | null
    envelopes: number
    readings: number
    minutes: number
    hours: number
}

interface LegalHoldRow {
    id: Generated<number>
    patient: number
    reason: string
    author: string
    made_at: number
    lifted_at: Generated<number | null>
    lifted_by: Generated<string | null>
}

interface ErasureRow {
    patient: number
    reason: string
    asked_by: string
    asked_at: number
    confirmed_by: Generated<string | null>
    confirmed_at: Generated<number | null>
    finished_at: Generated<number | null>
    readings: Generated<number>
    envelopes: Generated<number>
}
