#include "nngpcheck/compare/verdict/draw_kernel.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "nngpcheck/compare/error.hpp"

namespace nngpcheck::compare {

DrawLadders ladders_of(DrawKernel draw) {
  return [draw = std::move(draw)](const LadderRequest& request) {
    Ladders result{request.widths, std::vector<Eigen::MatrixXd>(request.widths.size())};
    Eigen::Index m = 0;
    for (std::int64_t i = 0; i < request.count; ++i) {
      const std::uint64_t network = request.first + static_cast<std::uint64_t>(i);
      for (std::size_t w = 0; w < request.widths.size(); ++w) {
        const Eigen::MatrixXd kernel = draw(request.widths[w], network);
        if (m == 0) m = kernel.rows();
        if (m == 0 || kernel.rows() != m || kernel.cols() != m ||
            (!request.inputs.empty() && request.inputs.back() >= m)) {
          throw CompareError(
              fmt::format("network {} of width {}: its kernel is {}×{}, where {}×{} was expected", network,
                          request.widths[w], kernel.rows(), kernel.cols(), m, m));
        }
        const Eigen::VectorXd entries = upper_triangle(
            request.inputs.empty() ? kernel : Eigen::MatrixXd(kernel(request.inputs, request.inputs)));
        if (i == 0) result.kernels[w].resize(request.count, entries.size());
        result.kernels[w].row(i) = entries.transpose();
      }
    }
    return result;
  };
}

}  // namespace nngpcheck::compare
