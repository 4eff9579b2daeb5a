// What the environment says about the emulated device. Read on every call, so that a test may change it as it goes.
#pragma once
#include <cstddef>

namespace residua::cuda_emulation {

int DeviceCount();          // RESIDUA_EMULATED_DEVICES=0: none
int DriverVersion();        // RESIDUA_EMULATED_DRIVER=12040: a driver too old for this run-time; 0: none at all
size_t DeviceMemory();      // RESIDUA_EMULATED_MEMORY=268435456 (or 256MiB): bytes of the device; 8 GiB
bool AllowsTf32Rounding();  // RESIDUA_EMULATED_TF32=1: products whose mode allows TF32 round their inputs to it

}  // namespace residua::cuda_emulation
