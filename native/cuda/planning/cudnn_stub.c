// Stands in for libcudnn.so.9 when plan_graphs is linked, so that it can be built where cuDNN is not. Never run.
#define FUNCTION(name) \
  void name(void) {}

FUNCTION(cudnnBackendCreateDescriptor)
FUNCTION(cudnnBackendDestroyDescriptor)
FUNCTION(cudnnBackendFinalize)
FUNCTION(cudnnBackendGetAttribute)
FUNCTION(cudnnBackendSetAttribute)
FUNCTION(cudnnGetErrorString)
FUNCTION(cudnnGetLastErrorString)
FUNCTION(cudnnGetVersion)
