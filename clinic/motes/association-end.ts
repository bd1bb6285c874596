/** Why an association of a mote with a patient ended. */
export const associationEnds = ["taken-off", "discharged", "revoked"] as const
export type AssociationEnd = (typeof associationEnds)[number]
