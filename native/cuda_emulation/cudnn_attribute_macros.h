// Rows of the attribute table: the enumerator and its name from one word.
#pragma once

#define RESIDUA_DESCRIPTOR(name) CUDNN_BACKEND_##name##_DESCRIPTOR, "CUDNN_BACKEND_" #name "_DESCRIPTOR"

#define RESIDUA_VALUE(name, type, least, most, need) \
  { CUDNN_ATTR_##name, "CUDNN_ATTR_" #name, CUDNN_TYPE_##type, (least), (most), Need::need }

#define RESIDUA_REFERENCE(name, descriptor, need)                                            \
  {                                                                                          \
    CUDNN_ATTR_##name, "CUDNN_ATTR_" #name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, Need::need, \
        CUDNN_BACKEND_##descriptor##_DESCRIPTOR                                              \
  }
