#include "nngpcheck/kernels/kernel_block.hpp"

#include <fmt/format.h>

namespace nngpcheck::kernels {

namespace {

using Eigen::Index;

/// A field of a CSV file.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n#") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

std::string csv(const KernelBlock& block) {
  std::string result;
  for (const std::string& name : block.columns) result += "," + field(name);
  result += '\n';
  for (Index i = 0; i < block.limit.kernel.rows(); ++i) {
    result += field(block.rows[static_cast<std::size_t>(i)]);
    for (Index j = 0; j < block.limit.kernel.cols(); ++j)
      result += fmt::format(",{:.17g}", block.limit.kernel(i, j));
    result += '\n';
  }
  return result;
}

}  // namespace

std::string serialize(const KernelBlock& block, KernelFormat format) {
  const LabelledKernel unnamed = labelled(block.limit, {});
  switch (format) {
    case KernelFormat::csv:
      return csv(block);
    case KernelFormat::npy:
      return serialize(unnamed, format);
    default: {
      nlohmann::ordered_json json = to_json(unnamed);
      json.erase("labels");
      json["rows"] = block.rows;
      json["columns"] = block.columns;
      return json.dump(1) + "\n";
    }
  }
}

}  // namespace nngpcheck::kernels
