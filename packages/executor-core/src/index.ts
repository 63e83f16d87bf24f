/**
 * Public API of the engine. Hand-picked: what is not here is not for use outside this package.
 */
export {
  finishNxRun,
  inNxTaskTurn,
  landBundles,
  openWorkspace,
  runPlanTask,
  runPlanTasks,
} from './create-executor';
export type { NxDoorOptions } from './create-executor';
export { ParallelExecutor } from './parallel-executor';
export type {
  BarrierAccess,
  BarrierHandle,
  BarrierWaitChoice,
  ExecuteOptions,
  ExecutorOptions,
} from './parallel-executor';
export type { BarrierOutcome, BarrierWait } from './run/barrier-wait';
export type { CleanReport, CleanResult } from './run/clean';
export type { LandBundlesResult } from './run/cached-landing';
export type {
  NxTask,
  NxTaskOutcome,
  NxTasksRequest,
  SingleTaskRequest,
  SingleTaskResult,
  TaskTurn,
} from './run/nx-door';
export type { WriteRoom } from './run/locks-desk';
export type { HeldLock, LocksView, WaitingForLocks } from './locks/locks-view';
export type { Run, StartOptions } from './run/run';
export type { RunReader, Transcript } from './run/run-reader';
export type { Delivery, ResumeResult } from './run/requests';
export type { ResolveResult, ResolveStep } from './run/resolve-task';
export type { LoadedPlan, LoadPlanOptions, Workspace } from './run/workspace';
export { loadPlanReader, PLAN_FILES } from './run/workspace';
export { STARTER_PLAN } from './run/starter-plan';
export type { AgentContext, AgentFunction } from './agents/function-agent';

export type { Access, Resource } from './model/access';
export type { ControlRequest } from './model/control-request';
export type {
  Candidate,
  EventOf,
  Fact,
  Decision,
  RunEvent,
  RunEventType,
  RunMode,
  RunOutcome,
} from './model/event';
export type { Cure, Failure, FailureClass } from './model/failure';
export { CURES, describeFailure, failureClass, failureLog } from './model/failure';
export type { RunId, TaskId } from './model/ids';
export {
  isRunId,
  parseRunId,
  parseSlotName,
  parseTaskId,
  slotName,
  nameProblem,
  taskIdProblem,
} from './model/ids';
export type { AttemptResult, ParallelExecution, RunResult, TaskResult } from './model/result';
export type { AgentProfile, Plan, Settings, Task } from './model/task';
export type { TaskState, TaskStateName } from './model/task-state';
export { redactSecrets } from './model/redact-secrets';
export { UserError } from './model/user-error';
export type { UserErrorKind } from './model/user-error';

export type { Diagnostic } from './plan/diagnostics';
export { renderDiagnostics } from './plan/diagnostics';
export { parsePlan } from './plan/load-plan';
export { planFromTasks } from './plan/plan-from-tasks';
export type { TaskInput } from './plan/plan-from-tasks';
export { planDigest, taskKey } from './plan/task-key';
export { parseDuration } from './plan/duration';
export { planJsonSchema } from './plan/json-schema';

export { buildTaskGraph } from './graph/task-graph';
export type { TaskGraph } from './graph/task-graph';
export { conflictForecast } from './graph/conflict-forecast';
export type { ForecastEvidence, ForecastPair, ForecastReason } from './graph/conflict-forecast';
export type { ForecastOffer } from './graph/forecast-offer';
export { conflictEdges } from './graph/conflict-edges';
export type { ConflictEdge } from './graph/conflict-edges';
export { learnDurations } from './graph/durations';
export type { DurationModel, DurationSample } from './graph/durations';
export type { LogNormal } from './graph/log-normal';
export { bottomLevels, criticalPath, workAndSpan } from './graph/critical-path';
export {
  checkResourceCompatibility,
  estimateSpeedup,
  findIndependentSets,
  findParallelizableTasks,
} from './graph/groups';
export { globsOverlap } from './graph/path-overlap';
export { predictRun, withAgents } from './schedule/predict';
export type { PredictedTask, Prediction } from './schedule/predict';
export { continueOnFailure, failFast, retryFailed } from './schedule/failure-strategies';

export { leftoverKey } from './report/clean-plan';
export type {
  CleanChoice,
  CleanVerdict,
  Leftover,
  LeftRun,
  QuarantinedTask,
} from './report/clean-plan';
export { costText, isCostKnown, type Cost } from './model/cost';
export { countText, durationText, listText } from './report/duration-text';
export { storyLine } from './report/attempt-story';
export type { AttemptStory, HealerStory } from './report/attempt-story';
export { failureStory, whyWaiting } from './report/explain';
export { emptyView, foldEvent, RunFold, viewOf } from './report/fold';
export { aheadText } from './report/fold-ahead';
export { describeEvent, requestText } from './report/messages';
export { etaMs, percentDone, speedup, totalWorkMs } from './report/progress';
export { landingOf, problemOf, runResult, targetOf, transcriptPath } from './report/run-result';
export {
  elapsedMs,
  isTaskInProgress,
  isTaskSettled,
  needsPerson,
  workedMs,
} from './report/run-view';
export type { RunView, TaskView } from './report/run-view';
export { busyTasks, statusJson } from './report/status-json';
export type { StatusJson } from './report/status-json';
