// A convolution's result in pieces for threads to take.
#include "cpu/conv2d_register_bands.h"

#include <algorithm>

#include "cpu/rounding.h"

namespace residua::cpu {
namespace {

constexpr int64_t kChunkSteps = 144;       // 37 KB of weights
constexpr int64_t kBandBytes = 512 << 10;  // of sums
constexpr int64_t kGroupChannels = kPixelVector * kMostPixelVectors;
constexpr int64_t kItemsOfThread = 4;  // at least, where the work can be split so far

// Positions of the result along an axis that are in a phase.
std::vector<int64_t> PositionsIn(const PixelAxis& axis, int64_t phase) {
  std::vector<int64_t> positions;
  for (size_t i = 0; i < axis.phase.size(); ++i) {
    if (axis.phase[i] == phase) positions.push_back(static_cast<int64_t>(i));
  }
  return positions;
}

}  // namespace

int64_t TileTask::steps() const {
  const int64_t numbers = reads_planes() ? static_cast<int64_t>(width.shift.size()) : block;
  const int64_t in_step = dtype == DType::kBFloat16 ? 2 : 1;
  return CeilDivide(numbers, in_step);
}

int64_t TileTask::groups() const { return CeilDivide(to[1], kGroupChannels); }

bool TileTask::copies() const {
  return height.size != from[2] || width.size != from[3] || height.sampling * width.sampling > 1;
}

RegisterBands::RegisterBands(const TileTask& task, int64_t threads) : task_(task) {
  SetSets(threads);
  for (int64_t row = 0; row < task.height.phases; ++row) {
    for (int64_t column = 0; column < task.width.phases; ++column) {
      PixelPhase& phase = phases_.emplace_back();
      AddTaps(row, column, &phase);
      AddPixels(row, column, &phase);
      AddBands(row, &phase);
      bands_ += static_cast<int64_t>(phase.bands.size());
    }
  }
  // Where there are few bands, threads share the groups of each.
  parts_ =
      std::clamp<int64_t>(CeilDivide(kItemsOfThread * threads, std::max<int64_t>(1, sets_ * bands_)), 1, task.groups());
  items_ = sets_ * bands_ * parts_;
}

// Sets of images, as many for each thread, and as large as a band may be.
void RegisterBands::SetSets(int64_t threads) {
  const int64_t pixels = CeilDivide(task_.to[2] * task_.to[3], task_.height.phases * task_.width.phases);
  band_pixels_ =
      std::max<int64_t>(1, kBandBytes / (task_.groups() * kGroupChannels * static_cast<int64_t>(sizeof(float))));
  const int64_t most = std::max<int64_t>(1, band_pixels_ / pixels), images = task_.from[0];
  images_in_set_ = CeilDivide(images, CeilDivide(CeilDivide(images, most), threads) * threads);
  sets_ = CeilDivide(images, images_in_set_);
}

void RegisterBands::AddTaps(int64_t row_phase, int64_t column_phase, PixelPhase* phase) const {
  const PixelAxis &height = task_.height, &width = task_.width;
  std::vector<PixelTap> taps;
  for (size_t ky = 0; ky < height.shift.size(); ++ky) {
    for (size_t kx = 0; kx < (task_.reads_planes() ? 1 : width.shift.size()); ++kx) {
      if (height.tap_phase[ky] != row_phase || width.tap_phase[kx] != column_phase) continue;
      taps.push_back(
          {height.shift[ky] * task_.row() + width.shift[kx] * task_.pixel(),
           static_cast<int64_t>(ky) * task_.weights.row_of_taps + static_cast<int64_t>(kx) * task_.weights.tap});
    }
  }
  phase->taps_of_block = static_cast<int64_t>(taps.size());
  const int64_t steps = std::max<int64_t>(phase->taps_of_block * task_.steps(), 1), blocks = task_.blocks();
  phase->blocks_in_chunk = task_.reads_planes() ? blocks : std::clamp<int64_t>(kChunkSteps / steps, 1, blocks);
  for (int64_t block = 0; block < phase->blocks_in_chunk; ++block) {
    for (const PixelTap& tap : taps) {
      phase->taps.push_back({tap.a + block * task_.plane(), tap.b + block * task_.weights.read_block});
    }
  }
  phase->from_image = (task_.copies() ? phase->blocks_in_chunk : blocks) * task_.plane();
}

void RegisterBands::AddPixels(int64_t row_phase, int64_t column_phase, PixelPhase* phase) const {
  const PixelAxis &height = task_.height, &width = task_.width;
  const std::vector<int64_t> rows = PositionsIn(height, row_phase), columns = PositionsIn(width, column_phase);
  for (int64_t n = 0; n < images_in_set_; ++n) {
    for (int64_t row : rows) {
      const int64_t from_row = height.base[static_cast<size_t>(row)] + height.before;
      for (int64_t column : columns) {
        const int64_t from_column = width.base[static_cast<size_t>(column)] + width.before;
        phase->from.push_back(n * phase->from_image + from_row * task_.row() + from_column * task_.pixel());
        phase->to.push_back(n * task_.to_image() + (row * task_.to[3] + column) * task_.to_pixel());
      }
    }
  }
}

void RegisterBands::AddBands(int64_t row_phase, PixelPhase* phase) const {
  const auto pixels = static_cast<int64_t>(phase->to.size());
  if (pixels == 0) return;
  if (images_in_set_ > 1) return phase->bands.push_back({0, pixels, 0, task_.height.size});
  const PixelAxis& height = task_.height;
  int64_t first_shift = 0, last_shift = 0;
  for (size_t k = 0; k < height.shift.size(); ++k) {
    if (height.tap_phase[k] != row_phase) continue;
    first_shift = std::min(first_shift, height.shift[k]);
    last_shift = std::max(last_shift, height.shift[k]);
  }
  const std::vector<int64_t> positions = PositionsIn(height, row_phase);
  const auto rows = static_cast<int64_t>(positions.size());
  const int64_t bands = std::min(CeilDivide(pixels, band_pixels_), rows), row_pixels = pixels / rows;
  const auto from_row = [&](int64_t row) {
    return height.base[static_cast<size_t>(positions[static_cast<size_t>(row)])] + height.before;
  };
  for (int64_t band = 0; band < bands; ++band) {
    const int64_t first = rows * band / bands, end = rows * (band + 1) / bands;
    phase->bands.push_back({first * row_pixels, (end - first) * row_pixels,
                            std::max<int64_t>(0, from_row(first) + first_shift),
                            std::min(height.size, from_row(end - 1) + last_shift + 1)});
  }
}

RegisterBands::Item RegisterBands::ItemAt(int64_t index) const {
  const int64_t part = index % parts_, set = index / parts_ / bands_, groups = task_.groups();
  auto band = static_cast<size_t>(index / parts_ % bands_);
  const PixelPhase* phase = phases_.data();
  for (; band >= phase->bands.size(); ++phase) band -= phase->bands.size();
  const int64_t first_image = set * images_in_set_, images = std::min(images_in_set_, task_.from[0] - first_image);
  const PixelBand& pixels = phase->bands[band];
  return {*phase,
          pixels,
          first_image,
          images,
          pixels.pixels / images_in_set_ * images,
          groups * part / parts_,
          groups * (part + 1) / parts_};
}

int64_t RegisterBands::most_pixels() const {
  int64_t most = 0;
  for (const PixelPhase& phase : phases_) {
    for (const PixelBand& band : phase.bands) most = std::max(most, band.pixels);
  }
  return most;
}

int64_t RegisterBands::most_copied_bytes() const {
  int64_t most = 0;
  for (const PixelPhase& phase : phases_) most = std::max(most, images_in_set_ * phase.from_image);
  return task_.copies() ? most : 0;
}

}  // namespace residua::cpu
