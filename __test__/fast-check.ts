// fast-check, whose reports name what was thrown: a report of ours is often all that is left of a run.
import fc from 'fast-check'

fc.configureGlobal({ includeErrorInReport: true })

export default fc
