/** What is refused of reports, of cases, and of what the pipeline does not let pass. */
export type ReportRefusal = 'report-not-possible' | 'report-repeated' | 'reports-too-many'
export type CaseRefusal = 'case-not-found' | 'case-closed' | 'case-claimed' | 'case-own' | 'moderator-unknown'
