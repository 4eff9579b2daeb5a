// Execution plans: from an engine configuration, or from the JSON text of an earlier plan.
#include "cuda_emulation/cudnn_engines.h"
#include "cuda_emulation/cudnn_finalize.h"
#include "cuda_emulation/cudnn_handle.h"
#include "cuda_emulation/cudnn_plan_text.h"

namespace residua::cuda_emulation {

void CompleteExecutionPlan(Descriptor* plan) {
  const bool from_text = plan->Has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
  if (from_text == plan->Has(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           "An execution plan needs CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG or, instead, "
           "CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION.");
  }
  if (plan->Has(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)) {
    LiveHandle(plan->Get<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE));
  } else if (!plan->Has(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP)) {
    Refuse(CUDNN_STATUS_BAD_PARAM,
           "An execution plan needs CUDNN_ATTR_EXECUTION_PLAN_HANDLE or, instead, "
           "CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP.");
  }
  if (from_text) {
    const std::vector<char>& bytes = plan->values.at(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION).bytes;
    std::string text(bytes.begin(), bytes.end());
    while (!text.empty() && text.back() == '\0') text.pop_back();
    plan->PutReferences(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, {PlanFromText(text)});
  }
  const DescriptorPtr config = plan->Reference(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  const std::string text = PlanToText(*config) + '\0';
  plan->Put(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            std::vector<char>(text.begin(), text.end()));
  plan->Put<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                     {config->Get<int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE)});
}

}  // namespace residua::cuda_emulation
