// Replays a program's runs on a backend that records them, and keeps the memory that a recording needs.
#include "core/replay.h"

#include <algorithm>
#include <utility>

#include "core/eager.h"

namespace residua {

namespace {

constexpr int64_t kRunsBefore = 2;  // the first recording: plans exist, and it has shown which tensors change
// Recording costs about as much as enqueueing a few runs. Where the storages of parameters change again and again, so
// many replays must have paid for each recording after the first few.
constexpr int64_t kFreeRecordings = 4, kReplaysForRecording = 16;

// False also where `storage` has the address of one that is gone.
bool IsSame(const std::weak_ptr<Storage>& known, const std::shared_ptr<Storage>& storage) {
  return !known.owner_before(storage) && !storage.owner_before(known);
}

size_t BytesToAllocate(const TensorDesc& desc) { return std::max<size_t>(1, desc.bytes); }

}  // namespace

Replay::Replay(Backend* backend, PlanCache* plans, const std::vector<Leaf>& leaves,
               const std::vector<TensorDesc>& outputs)
    : backend_(backend), plans_(plans) {
  for (const Leaf& leaf : leaves) leaves_.push_back({leaf.desc, leaf.is_written, {}, false, nullptr});
  for (const TensorDesc& desc : outputs) outputs_.push_back({desc, {}, false, nullptr});
}

bool Replay::Run(const Storages& leaves, const WorkOn& work_on, Storages* outputs) {
  if (!stats_.refusal.empty()) return false;
  NoteLeaves(leaves);
  NoteHeldOutputs();
  ++runs_;
  if (CopiesWhatIsWritten(leaves)) return false;
  if (recording_ == nullptr && MayRecord()) Record(leaves, work_on);
  if (recording_ == nullptr) return false;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (leaves_[i].is_copied) Copy(leaves_[i].desc, leaves[i], leaves_[i].copy);
  }
  Storages copies;  // taken first: where there is no memory for them nothing must have run
  for (const OutputState& output : outputs_) {
    copies.push_back(output.is_copied ? backend_->Allocate(BytesToAllocate(output.desc)) : nullptr);
  }
  if (!recording_->Replay()) return false;
  ++stats_.replays;
  outputs->clear();
  for (size_t i = 0; i < outputs_.size(); ++i) outputs->push_back(HandOut(&outputs_[i], copies[i]));
  return true;
}

// What the run just made, as a storage of the caller's: `copy`, or lent where it is null.
std::shared_ptr<Storage> Replay::HandOut(OutputState* output, const std::shared_ptr<Storage>& copy) {
  if (copy != nullptr) {
    Copy(output->desc, output->own, copy);
    return copy;
  }
  const std::shared_ptr<Storage> lent = backend_->Lend(output->own);
  *lent->status() = *output->own->status();
  output->last = lent;
  return lent;
}

void Replay::NoteOutputs(const Storages& outputs) {
  if (!stats_.refusal.empty()) return;
  for (size_t i = 0; i < outputs.size(); ++i) outputs_[i].last = outputs[i];
}

// A leaf that is another storage than before is copied from now on, where that will do. The recording does not know it.
void Replay::NoteLeaves(const Storages& leaves) {
  for (size_t i = 0; i < leaves.size(); ++i) {
    LeafState& leaf = leaves_[i];
    if (leaf.is_copied || IsSame(leaf.last, leaves[i])) continue;
    if (runs_ > 0) {
      leaf.is_copied = !leaf.is_written;
      recording_ = nullptr;
    }
    leaf.last = leaves[i];
  }
}

// The caller may hold on to an output when the next run begins: that run must not change it.
void Replay::NoteHeldOutputs() {
  for (OutputState& output : outputs_) {
    if (output.last.expired() || output.is_copied) continue;
    output.is_copied = true;
    output.own = nullptr;
    recording_ = nullptr;
  }
}

// Whether a leaf that would be copied is the same storage as one that the program writes.
bool Replay::CopiesWhatIsWritten(const Storages& leaves) const {
  for (size_t copied = 0; copied < leaves.size(); ++copied) {
    if (!leaves_[copied].is_copied) continue;
    for (size_t written = 0; written < leaves.size(); ++written) {
      if (leaves_[written].is_written && leaves[written] == leaves[copied]) return true;
    }
  }
  return false;
}

bool Replay::MayRecord() const {
  return runs_ > kRunsBefore && stats_.recordings < kFreeRecordings + stats_.replays / kReplaysForRecording;
}

void Replay::Record(const Storages& leaves, const WorkOn& work_on) {
  ++stats_.recordings;
  std::string why;
  try {
    Storages own_leaves = leaves, own_outputs;
    for (size_t i = 0; i < leaves.size(); ++i) {
      LeafState& leaf = leaves_[i];
      if (!leaf.is_copied) continue;
      if (leaf.copy == nullptr) leaf.copy = backend_->AllocateForRecording(BytesToAllocate(leaf.desc));
      own_leaves[i] = leaf.copy;
    }
    for (OutputState& output : outputs_) {
      if (output.own == nullptr) output.own = backend_->AllocateForRecording(BytesToAllocate(output.desc));
      own_outputs.push_back(output.own);
    }
    const Work work = work_on(own_leaves, own_outputs);
    recording_ = backend_->Record(work.runs, work.kept, &why);
  } catch (const Error& error) {  // there is no memory, for example: enqueueing may do with less
    why = error.what();
  }
  if (recording_ == nullptr) Refuse(why);
}

// For good: nothing is noted any more.
void Replay::Refuse(const std::string& why) {
  stats_.refusal = why.empty() ? "The backend does not record it." : why;
  leaves_.clear();
  outputs_.clear();
}

void Replay::Copy(const TensorDesc& desc, const std::shared_ptr<Storage>& from, const std::shared_ptr<Storage>& to) {
  const std::shared_ptr<Plan> plan = PlanOf(backend_, plans_, {OpKind::kCopy, NoParams{}}, {desc});
  if (plan != nullptr) backend_->Enqueue(plan, {{desc, from}}, {{desc, to}});  // null: it is empty
}

}  // namespace residua
