// The choice of the algorithm that computes a convolution.
#pragma once
#include <functional>
#include <string>

#include "cpu/conv2d_geometry.h"

namespace residua::cpu {

enum class ConvAlgorithm {
  kDirect,            // oneDNN's loops over the image
  kWinograd,          // 3x3: conv2d_winograd.h
  kWinogradByPoints,  // the same in another order: conv2d_winograd_points.cc
  kLibraryWinograd,   // 3x3 in float32: oneDNN's, which 2.x has on AVX-512
  kMatrix,            // one matrix product for all of a tiny image: conv2d_matrix.h
  kTapProducts,       // gradient of the weights, a product for each tap: conv2d_tap_products.h
  kOuterProducts,     // gradient of the weights, summed up in registers: conv2d_outer_products.h
  kMergedGroups,      // small groups, several as one: conv2d_merged_groups.h
  kTransposed,        // small groups, forward, by the gradient's kernel: conv2d_transposed.h
  kRegisterTiles,     // loops over the image of our own: conv2d_register_tiles.h
  kPlaneProducts,     // gradient of the weights, images of few channels: conv2d_plane_products.h
};

// The plan of the op by an algorithm, for inputs laid out as given; null where the algorithm is not for this op. It may
// throw where the library or the processor has no such primitive.
using MakeConvPlan = std::function<PlanPtr(ConvAlgorithm, const Descs& inputs)>;

struct ConvTask {
  const char* direction;  // the op's name
  const ConvGeometry& geometry;
  const Descs& inputs;
  // The inputs laid out as they come from the second training step on: that is what is timed.
  std::function<Descs()> usual_inputs;
  bool in_inference = false;
};

// The plan by the algorithm that is fastest here, as the tuner finds out once: one that is not the direct convolution
// must be clearly faster. Without a tuner, and for work too small to be worth timing, the direct one. Where oneDNN has
// no kernel for the size of the groups but one after merging them, the latter stands in for the direct one, which may
// take seconds and is not even timed. RESIDUA_CONV_ALGORITHM (direct, winograd, libraryWinograd, matrix, tapProducts,
// outerProducts, mergedGroups, transposed, registerTiles, planeProducts) fixes it wherever that algorithm can be used.
PlanPtr PlanConvolution(const CpuContext& context, const ConvTask& task, const MakeConvPlan& make);

}  // namespace residua::cpu
