// Kernels as pictures of their correlations.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

namespace nngpcheck::compare {

/// C_ij = K_ij / √(K_ii K_jj), brought into [-1, 1] where rounding leaves it; NaN where K_ii or K_jj is not
/// positive. Precondition: K is square.
Eigen::MatrixXd correlation(const Eigen::MatrixXd& kernel);

/// One square of a picture.
struct HeatMap {
  std::string title;
  Eigen::MatrixXd values;  // m×m in [-1, 1]; NaN is drawn as missing, in grey
};

/// Draws one or two heat maps side by side, with a common colour bar, as `base`.svg and `base`.png: row 0 on
/// top, with the labels at rows and columns if there are at most 24. Colours range over [0, 1] (dark to
/// bright) if no value is negative, else over [-1, 1] (blue, white, red). Throws CompareError as `plot` does.
/// Precondition: all have the size of `labels`, at least 1.
void plot_heat_maps(const std::vector<HeatMap>& maps, const std::vector<std::string>& labels,
                    const std::filesystem::path& base);

}  // namespace nngpcheck::compare
