// {"cudnnVersion":92400,"engine":22,"descriptors":[[type,[[attribute,attribute type,[values...]],...]],...]}
// Values are integers: the bits of numbers, numbers of earlier descriptors for references. The graph comes last.
#include "cuda_emulation/cudnn_plan_text.h"

#include <cctype>

#include "cuda_emulation/cudnn_attributes.h"
#include "cuda_emulation/cudnn_engines.h"
#include "cuda_emulation/cudnn_finalize.h"

namespace residua::cuda_emulation {
namespace {

class Writer {
 public:
  std::string Write(const Descriptor& graph) {
    Add(graph);
    return descriptors_;
  }

 private:
  // Adds the descriptor after those that it refers to; answers its number.
  size_t Add(const Descriptor& descriptor) {
    const auto known = numbers_.find(&descriptor);
    if (known != numbers_.end()) return known->second;
    std::string attributes;
    for (const auto& [name, value] : descriptor.values) {
      const AttributeRule* rule = RuleOf(descriptor.type, name);
      if (rule->need == Need::kReadOnly || value.type == CUDNN_TYPE_HANDLE) continue;
      if (!attributes.empty()) attributes += ",";
      attributes += "[" + std::to_string(name) + "," + std::to_string(value.type) + ",[" + Elements(value) + "]]";
    }
    if (!descriptors_.empty()) descriptors_ += ",";
    descriptors_ += "[" + std::to_string(descriptor.type) + ",[" + attributes + "]]";
    const size_t number = numbers_.size();
    numbers_.emplace(&descriptor, number);
    return number;
  }

  std::string Elements(const AttributeValue& value) {
    std::string text;
    const auto append = [&text](const std::string& element) { text += (text.empty() ? "" : ",") + element; };
    for (const DescriptorPtr& reference : value.descriptors) append(std::to_string(Add(*reference)));
    const size_t size = SizeOf(value.type);
    for (size_t i = 0; i + size <= value.bytes.size(); i += size) {
      int64_t bits = 0;
      std::memcpy(&bits, value.bytes.data() + i, size);  // little-endian
      append(std::to_string(bits));
    }
    return text;
  }

  std::map<const Descriptor*, size_t> numbers_;
  std::string descriptors_;
};

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  DescriptorPtr Read() {
    Expect("{\"cudnnVersion\":");
    if (Integer() != CUDNN_VERSION) {
      Refuse(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH, "The plan's text is of another version of cuDNN.");
    }
    Expect(",\"engine\":");
    const int64_t engine = Integer();
    Expect(",\"descriptors\":");
    std::vector<DescriptorPtr> descriptors;
    List([&] { descriptors.push_back(ReadDescriptor(descriptors)); });
    Expect("}");
    if (descriptors.empty() || descriptors.back()->graph == nullptr) Malformed();

    auto engine_descriptor = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    engine_descriptor->PutReferences(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, {descriptors.back()});
    engine_descriptor->Put<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, {engine});
    Finalize(engine_descriptor.get());
    auto config = std::make_shared<Descriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    config->PutReferences(CUDNN_ATTR_ENGINECFG_ENGINE, {engine_descriptor});
    Finalize(config.get());
    return config;
  }

 private:
  [[noreturn]] void Malformed() const {
    Refuse(CUDNN_STATUS_BAD_PARAM, "The plan's text is malformed at character " + std::to_string(at_) + ".");
  }

  void Expect(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) Malformed();
    at_ += word.size();
  }

  int64_t Integer() {
    const size_t start = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == start || at_ - start > 20) Malformed();
    try {
      return std::stoll(text_.substr(start, at_ - start));
    } catch (const std::exception&) {
      Malformed();
    }
  }

  // [element,element,...]
  template <class Element>
  void List(const Element& element) {
    Expect("[");
    if (at_ < text_.size() && text_[at_] == ']') {
      ++at_;
      return;
    }
    for (;;) {
      element();
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      return Expect("]");
    }
  }

  DescriptorPtr ReadDescriptor(const std::vector<DescriptorPtr>& earlier) {
    Expect("[");
    const auto type = static_cast<cudnnBackendDescriptorType_t>(Integer());
    if (RuleOf(type) == nullptr) Malformed();
    auto descriptor = std::make_shared<Descriptor>(type);
    Expect(",");
    List([&] { ReadAttribute(earlier, descriptor.get()); });
    Expect("]");
    Finalize(descriptor.get());
    return descriptor;
  }

  void ReadAttribute(const std::vector<DescriptorPtr>& earlier, Descriptor* descriptor) {
    Expect("[");
    const auto name = static_cast<cudnnBackendAttributeName_t>(Integer());
    Expect(",");
    const auto type = static_cast<cudnnBackendAttributeType_t>(Integer());
    Expect(",");
    std::vector<int64_t> elements;
    List([&] { elements.push_back(Integer()); });
    Expect("]");
    const AttributeRule* rule = RuleOf(descriptor->type, name);
    const bool as_double = rule != nullptr && rule->type == CUDNN_TYPE_FLOAT && type == CUDNN_TYPE_DOUBLE;
    if (rule == nullptr || (rule->type != type && !as_double)) Malformed();
    const int64_t count = static_cast<int64_t>(elements.size());
    if (count < rule->least || count > rule->most) Malformed();
    if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) return ReadReferences(*rule, elements, earlier, descriptor);
    std::vector<char> bytes(elements.size() * SizeOf(type));
    for (size_t i = 0; i < elements.size(); ++i) {
      std::memcpy(bytes.data() + i * SizeOf(type), &elements[i], SizeOf(type));
    }
    descriptor->Put(name, type, bytes);
    descriptor->values[name].count = count;
  }

  void ReadReferences(const AttributeRule& rule, const std::vector<int64_t>& numbers,
                      const std::vector<DescriptorPtr>& earlier, Descriptor* descriptor) const {
    std::vector<DescriptorPtr> references;
    for (const int64_t number : numbers) {
      if (number < 0 || number >= static_cast<int64_t>(earlier.size())) Malformed();
      references.push_back(earlier[static_cast<size_t>(number)]);
      const auto type = references.back()->type;
      if (rule.refers_to == kAnyOperation ? !IsOperation(type) : type != rule.refers_to) Malformed();
    }
    descriptor->PutReferences(rule.name, std::move(references));
  }

  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace

std::string PlanToText(const Descriptor& config) {
  const DescriptorPtr engine = config.Reference(CUDNN_ATTR_ENGINECFG_ENGINE);
  const DescriptorPtr graph = engine->Reference(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
  return "{\"cudnnVersion\":" + std::to_string(CUDNN_VERSION) + ",\"engine\":" + std::to_string(engine->engine->index) +
         ",\"descriptors\":[" + Writer().Write(*graph) + "]}";
}

DescriptorPtr PlanFromText(const std::string& text) { return Reader(text).Read(); }

}  // namespace residua::cuda_emulation
